import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import type { Mutant, Position } from '@stryker-mutator/api/core'
import type { Logger } from '@stryker-mutator/api/logging'
import { Instrumenter } from '@stryker-mutator/instrumenter'
import fc from 'fast-check'
import { type Excluded, excluded } from './excluded.ts'

/** One change of one expression: its place, the original text and the text of the mutant. Lines and columns are counted from 1. */
export interface Change {
	readonly id: string
	readonly kind: string
	readonly file: string
	readonly line: number
	readonly column: number
	/** The whole line, or the first of several lines. */
	readonly code: string
	readonly original: string
	readonly mutated: string
	/** The file with this one change. */
	readonly changedFile: string
}

/** @returns every mutant of the files */
export async function mutantsOf(files: readonly string[]): Promise<Change[]> {
	const sources = files.map(name => ({ name, mutate: true, content: readFileSync(name, 'utf8') }))
	const { mutants } = await new Instrumenter(quiet).instrument(sources, { ignorers: [], plugins: null, excludedMutations: [] })
	const contents = new Map(sources.map(({ name, content }) => [name, content]))
	return mutants.map(mutant => changeOf(mutant, contents.get(mutant.fileName) ?? ''))
}

/** Identifies a mutant, regardless of how its path is written. */
export function idOf({ fileName, location: { start, end }, mutatorName, replacement }: Mutant): string {
	return [relative('.', fileName), start.line, start.column, end.line, end.column, mutatorName, replacement].join(':')
}

/** @returns `size` of the mutants, chosen by the seed */
export function sampled(mutants: readonly Change[], size: number, seed: number): Change[] {
	const length = Math.min(size, mutants.length)
	return fc.sample(fc.shuffledSubarray([...mutants], { minLength: length, maxLength: length }), { numRuns: 1, seed })[0] ?? []
}

/** @returns whether the table of exclusions names the mutant */
export function isNamedBy({ file, code, change }: Excluded, mutant: Change): boolean {
	return mutant.file === file && mutant.code === code && words(mutant) === change
}

/** @returns the exclusions for these files that match no mutant because the code has changed */
export function outdated(files: readonly string[], mutants: readonly Change[]): Excluded[] {
	return excluded.filter(entry => files.includes(entry.file) && !mutants.some(mutant => isNamedBy(entry, mutant)))
}

/** @returns the change as one short line */
export function words({ original, mutated }: Pick<Change, 'original' | 'mutated'>): string {
	return `${short(original)} → ${short(mutated)}`
}

function short(text: string): string {
	const line = text.replace(/\s+/g, ' ').trim()
	return line.length > 80 ? `${line.slice(0, 60)} … ${line.slice(-17)}` : line
}

function changeOf(mutant: Mutant, content: string): Change {
	const { start, end } = mutant.location
	const [from, to] = [offsetOf(content, start), offsetOf(content, end)]
	return {
		id: idOf(mutant),
		kind: mutant.mutatorName,
		file: mutant.fileName,
		line: start.line + 1,
		column: start.column + 1,
		code: (content.split('\n')[start.line] ?? '').trim(),
		original: content.slice(from, to),
		mutated: mutant.replacement,
		changedFile: content.slice(0, from) + mutant.replacement + content.slice(to),
	}
}

function offsetOf(content: string, { line, column }: Position): number {
	const before = content.split('\n').slice(0, line)
	return before.reduce((length, { length: more }) => length + more + 1, column)
}

const silent = () => {}
const quiet: Logger = {
	isTraceEnabled: () => false,
	isDebugEnabled: () => false,
	isInfoEnabled: () => false,
	isWarnEnabled: () => false,
	isErrorEnabled: () => false,
	isFatalEnabled: () => false,
	trace: silent,
	debug: silent,
	info: silent,
	warn: silent,
	error: silent,
	fatal: silent,
}
