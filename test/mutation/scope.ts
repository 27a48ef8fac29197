import { globSync } from 'node:fs'

/** The folders, the sample size and the required share of the mutation run. */

/** Folders in which the tests must detect changed decisions. */
export const scope = ['agent/run', 'agent/plan', 'controller/rules']

/** The share of mutants that the tests must kill. */
export const bar = 0.9

/** All mutants take hours, so a run tries a random sample of this size. `MUTANTS` sets another number, or `all`. */
export const sampleSize = 500

/** @returns the source files of the scope, in a fixed order */
export function filesInScope(): string[] {
	return scope.flatMap(folder => globSync(`${folder}/**/*.ts`)).sort()
}
