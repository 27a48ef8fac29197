import type { TestError } from 'vitest'
import type { Reporter, TestCase, TestModule } from 'vitest/node'
import { startVitest } from 'vitest/node'
import { expectedSkips, type Part, parts } from './parts.ts'

/**
 * `npm test [-- PART …]`: runs the named parts, or all parts except the long ones, one after the other, and prints one total at the end.
 */
const tally = { passed: 0, failed: 0, skips: [] as { test: string; reason: string }[], failures: [] as string[] }
const counter: Reporter = {
	onTestCaseResult(test: TestCase) {
		const result = test.result()
		if (result.state === 'passed') tally.passed++
		if (result.state === 'failed') {
			tally.failed++
			tally.failures.push(`${test.module.relativeModuleId}: ${test.fullName}\n${result.errors.map(told).join('\n')}`)
		}
		if (result.state === 'skipped') tally.skips.push({ test: test.fullName, reason: result.note ?? 'no reason given' })
	},
	/** Counts failures without a failed test: files that cannot be loaded or whose hooks fail, and unhandled errors. */
	onTestRunEnd(modules: readonly TestModule[], unhandled) {
		const unloaded = modules.filter(module => !module.ok() && !hasFailedTest(module))
		tally.failed += unhandled.length + unloaded.length
		tally.failures.push(
			...unhandled.map(told),
			...unloaded.map(module => `${module.relativeModuleId}\n${module.errors().map(told).join('\n')}`),
		)
	},
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter(name => !parts.some(part => part.name === name))

if (unknown.length > 0) {
	process.stderr.write(`test: unknown parts: ${unknown.join(', ')}; the parts are ${parts.map(part => part.name).join(', ')}\n`)
	process.exit(2)
}
for (const part of parts) if (wanted.length > 0 ? wanted.includes(part.name) : !part.isLong) await run(part)
report()
process.exit(process.exitCode ?? 0)

async function run({ name, what, prepare }: Part): Promise<void> {
	const started = Date.now()
	const before = tally.passed + tally.failed + tally.skips.length
	process.stdout.write(`\n== ${name}: ${what}\n`)
	try {
		await prepare?.()
		const vitest = await startVitest('test', [], { project: name, watch: false, passWithNoTests: true, reporters: ['default', counter] })
		await vitest.close()
	} catch (error) {
		fail(`${name} could not be run: ${error instanceof Error ? error.message : String(error)}`)
	}
	const count = tally.passed + tally.failed + tally.skips.length - before
	if (count === 0) fail(`${name} has no test`)
	process.stdout.write(`== ${name}: ${count} tests in ${((Date.now() - started) / 1000).toFixed(0)} s\n`)
}

/** Counts a failure that does not belong to a single test. */
function fail(words: string): void {
	process.stdout.write(`failed: ${words}\n`)
	tally.failed++
}

function hasFailedTest(module: TestModule): boolean {
	return [...module.children.allTests('failed')].length > 0
}

/**
 * Formats an error for readers who see only the end of a long log: what failed, where in the project's files, and why. For a property, also
 * the seed, the counterexample and the error behind it.
 */
function told({ message, stack, diff, cause }: TestError): string {
	const ours = (stack ?? message).split('\n').filter(line => !line.includes('/node_modules/'))
	return [...ours, diff, cause && told(cause)].filter(Boolean).join('\n').slice(0, 4_000)
}

function report(): void {
	const unexpected = process.env.CI ? tally.skips.filter(skip => !expectedSkips.includes(skip.reason)) : []
	for (const failure of tally.failures) process.stdout.write(`failed: ${failure}\n`)
	for (const { test, reason } of tally.skips) process.stdout.write(`skipped: ${test}: ${reason}\n`)
	for (const { test } of unexpected) process.stdout.write(`failed: ${test} was skipped, but must run in CI\n`)
	const failed = tally.failed + unexpected.length
	const skipped = tally.skips.length - unexpected.length
	process.stdout.write(`\n${tally.passed} passed, ${failed} failed, ${skipped} skipped\n`)
	process.exitCode = failed > 0 ? 1 : 0
}
