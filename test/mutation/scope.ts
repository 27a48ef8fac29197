import { globSync } from 'node:fs'

/** What the mutation run covers: one place for its folders, its size and its bar. */

/** Folders whose decisions the tests must notice. */
export const scope = ['agent/run', 'agent/plan', 'controller/rules']

/** The share of mutants that the tests must kill. */
export const bar = 0.9

/** All mutants take hours, so a run takes as many at random. `MUTANTS` sets another number, or `all`. */
export const sampleSize = 500

/** @returns the source files of the scope, in a fixed order */
export function filesInScope(): string[] {
	return scope.flatMap(folder => globSync(`${folder}/**/*.ts`)).sort()
}
