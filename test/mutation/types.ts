import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Change } from './mutants.ts'

/** Rooms that the mutated files import. */
const rooms = ['agent', 'controller', 'contract', 'runtime']

/** A name that is no longer used does not show a change of behavior. */
const compilerOptions = { noUnusedLocals: false, noUnusedParameters: false }

/** @returns the mutants that the type check rejects, so that `npm run check` detects them without a test */
export function rejectedByTypes(mutants: readonly Change[]): Change[] {
	mkdirSync('.mutation', { recursive: true })
	const folder = mkdtempSync('.mutation/types-') // inside the project, for the packages
	try {
		for (const room of rooms) cpSync(room, join(folder, room), { recursive: true })
		return mutants.filter(mutant => isRejected(folder, mutant))
	} finally {
		rmSync(folder, { recursive: true, force: true })
	}
}

function isRejected(folder: string, mutant: Change): boolean {
	const file = join(folder, mutant.file)
	const before = readFileSync(file, 'utf8')
	const config = join(folder, 'tsconfig.json')
	writeFileSync(config, JSON.stringify({ extends: resolve('tsconfig.json'), include: [], files: [resolve(file)], compilerOptions }))
	writeFileSync(file, mutant.changedFile)
	try {
		execFileSync('node_modules/.bin/tsc', ['--noEmit', '-p', config], { stdio: 'pipe' })
		return false
	} catch (error) {
		if (String((error as { stdout?: Buffer }).stdout).includes('error TS')) return true
		throw error
	} finally {
		writeFileSync(file, before)
	}
}
