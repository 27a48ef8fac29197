import { execa } from 'execa'

/**
 * `npm run check`: types, lint, house rules and pure tests, concurrently. Needs no root and no network, and takes less than a minute,
 * because it tests only a tenth as many generated nodes as `npm test`, and ends each property-based test early.
 */
process.env.NODES ??= '200'
process.env.PROPERTY_MS ??= '100'

const steps: readonly [what: string, command: string, ...args: string[]][] = [
	['types', 'tsc', '--noEmit', '-p', '.'],
	['format and lint', 'biome', 'check', '--error-on-warnings', '.'],
	['house and pure tests', 'vitest', 'run', '--project', 'pure', '--reporter', 'dot'],
]

const passed = await Promise.all(steps.map(passes))
const failed = steps.filter((_, at) => !passed[at]).map(([what]) => what)
if (failed.length > 0) process.stderr.write(`check: ${failed.join(', ')} failed; see the output above\n`)
process.exitCode = failed.length > 0 ? 1 : 0

/** Prints the output of a step as a whole when it ends. */
async function passes([what, command, ...args]: (typeof steps)[number]): Promise<boolean> {
	const started = Date.now()
	const { failed, all = '' } = await execa(`node_modules/.bin/${command}`, args, { all: true, reject: false, env: { FORCE_COLOR: '0' } })
	const seconds = ((Date.now() - started) / 1_000).toFixed(1)
	process.stderr.write(`${all}\ncheck: ${what} ${failed ? 'failed' : 'passed'} (${seconds} s)\n`)
	return !failed
}
