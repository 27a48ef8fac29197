import { globSync } from 'node:fs'

/** What the mutation run covers: one place for its folders, its size and its bar. */

/** Folders and files whose decisions the tests must notice. */
export const scope = ['agent/plan', 'controller/decide.ts', 'controller/verify.ts', 'controller/under-way.ts', 'controller/lifecycle.ts']

/** The share of mutants that the tests must kill. */
export const bar = 0.9

/** All mutants take hours, so a run takes as many at random. `MUTANTS` sets another number, or `all`. */
export const sampleSize = 500

/** @returns the source files of the scope, in a fixed order */
export function filesInScope(): string[] {
	return scope.flatMap(place => (place.endsWith('.ts') ? [place] : globSync(`${place}/**/*.ts`))).sort()
}
