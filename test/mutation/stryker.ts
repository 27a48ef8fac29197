import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LogLevel, MutantResult, PartialStrykerOptions } from '@stryker-mutator/api/core'
import { Stryker } from '@stryker-mutator/core'
import { type Change, idOf } from './mutants.ts'

/** Runs mutants with Stryker, and returns whether a test detects them. */

export type Statuses = ReadonlyMap<string, MutantResult>

const options: PartialStrykerOptions = {
	testRunner: 'vitest',
	vitest: { configFile: 'test/mutation/vitest.config.ts' },
	checkers: ['sampled'],
	plugins: ['@stryker-mutator/vitest-runner', './test/mutation/sampled.ts'],
	coverageAnalysis: 'perTest',
	concurrency: Number(process.env.WORKERS ?? availableParallelism()),
	tempDirName: '.mutation',
	cleanTempDir: 'always',
	tsconfigFile: 'none.json', // there is nothing to compile
	disableTypeChecks: false,
	warnings: false,
	reporters: ['counted'],
	logLevel: 'warn' as LogLevel,
	allowConsoleColors: false,
	timeoutMS: 60_000, // a mutant that takes a minute longer than the original never ends; a busy machine also delays tests
	timeoutFactor: 4,
	dryRunTimeoutMinutes: 30, // the same tests without a change; the default of 5 is not enough on a busy machine
}

/**
 * Runs each mutant with the tests that reach it. A mutant of code that also runs while a test file is loaded, and that no test has
 * detected, runs again with every test file that imports it, including the load.
 */
export async function statusesOf(mutants: readonly Change[]): Promise<Statuses> {
	const found = await runWith(mutants, { ignoreStatic: true })
	const again = mutants.filter(({ id }) => isUndecided(found.get(id)))
	return new Map([...found, ...(await runWith(again, { ignoreStatic: false }))])
}

/** A mutant is detected if a test fails, if a test file cannot be loaded, or if a test no longer ends. */
export function isNoticed(result: MutantResult | undefined): boolean {
	return result?.status === 'Killed' || result?.status === 'Timeout' || result?.status === 'RuntimeError'
}

/** Stryker does not find a test whose title it reads differently from vitest; then no test has run. */
function isUndecided(result: MutantResult | undefined): boolean {
	return result?.status === 'Ignored' || (!isNoticed(result) && (result?.static === true || result?.testsCompleted === 0))
}

async function runWith(mutants: readonly Change[], own: PartialStrykerOptions): Promise<Statuses> {
	if (mutants.length === 0) return new Map()
	const wanted = new Set(mutants.map(({ id }) => id))
	const folder = mkdtempSync(join(tmpdir(), 'multinic-mutation-'))
	process.env.MUTATION_SAMPLE = join(folder, 'sample.json')
	writeFileSync(process.env.MUTATION_SAMPLE, JSON.stringify([...wanted]))
	try {
		const mutate = [...new Set(mutants.map(linesOf))]
		const results = await new Stryker({ ...options, ...own, mutate }).runMutationTest()
		return new Map(results.map(result => [idOf(fromZero(result)), result] as const).filter(([id]) => wanted.has(id)))
	} finally {
		rmSync(folder, { recursive: true, force: true })
	}
}

/**
 * The lines of the mutant, as a pattern of Stryker. Stryker records for each test which of the instrumented mutants it reaches; for all
 * mutants of the files, this took more memory than a process has.
 */
function linesOf({ file, line, original }: Change): string {
	return `${file}:${line}-${line + original.split('\n').length - 1}`
}

/** In results, lines and columns are counted from 1, everywhere else from 0. */
function fromZero({ location: { start, end }, ...mutant }: MutantResult): MutantResult {
	const back = ({ line, column }: typeof start) => ({ line: line - 1, column: column - 1 })
	return { ...mutant, location: { start: back(start), end: back(end) } }
}
