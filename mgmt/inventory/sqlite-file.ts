import { closeSync, mkdirSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { wordsOf } from '../../runtime/errors.ts'
import { isDamage } from './lost.ts'

/** A database in memory, which only tests use. */
export const IN_MEMORY = ':memory:'

export type Replaced = { file: string; why: string }

/**
 * Opens the file, holds its lock while it is open, and checks it. A damaged file is renamed and replaced by an empty one.
 *
 * @param now milliseconds since 1970; it becomes part of the new name of a damaged file
 * @throws the error of SQLite if the file is locked, is read-only, or cannot be opened for another reason
 */
export function openSqlite(path: string, now: number): { database: DatabaseSync; replaced?: Replaced } {
	if (path === IN_MEMORY) return { database: opened(path) }
	mkdirSync(dirname(path), { recursive: true })
	// created here, because SQLite would create it readable by every user
	closeSync(openSync(path, 'a', 0o600))
	removeDrafts(path)
	try {
		return { database: opened(path) }
	} catch (error) {
		if (!isDamage(error)) throw error
		const file = setAside(path, now)
		return { database: opened(path), replaced: { file, why: wordsOf(error) } }
	}
}

/** The reason for which a file is replaced although SQLite reads it. */
export class Damaged extends Error {
	override readonly name = 'Damaged'
}

/** @throws Damaged, or the error of SQLite */
export function check(database: DatabaseSync): void {
	const [row] = database.prepare('pragma quick_check(1)').all()
	if (row?.quick_check !== 'ok') throw new Damaged(`quick_check: ${row?.quick_check}`)
}

/** Enough for the tables of 10,000 nodes with 10 NICs except their JSON, so that a change of one node reads few pages. */
export const CACHE_KIB = 64 * 1024

function opened(path: string): DatabaseSync {
	const database = new DatabaseSync(path, { timeout: 0 })
	try {
		// in this order: with the exclusive lock first, WAL needs no shared memory, which network file systems do not have
		database.exec('pragma locking_mode = exclusive; pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on')
		// the log is copied into the file between transactions; a transaction does it only if that did not happen for long
		database.exec(`pragma cache_size = -${CACHE_KIB}; pragma wal_autocheckpoint = 8000`)
		database.exec('begin immediate; commit')
		check(database)
		return database
	} catch (error) {
		database.close()
		throw error
	}
}

/** Renames a damaged file, with what belongs to it, so that nothing of it is used or lost. @returns the new name */
function setAside(path: string, now: number): string {
	const kept = `${path}.damaged-${new Date(now).toISOString().replaceAll(':', '-')}`
	for (const part of ['', '-wal', '-journal']) {
		const isThere = readdirSync(dirname(path)).includes(`${basename(path)}${part}`)
		if (isThere) renameSync(`${path}${part}`, `${kept}${part}`)
	}
	return kept
}

/** The name of a copy that is being made beside the file. */
export function draftName(path: string, word: string): string {
	return `${path}.copy-${word}`
}

/** Removes copies that an earlier process did not finish. */
function removeDrafts(path: string): void {
	const drafts = readdirSync(dirname(path)).filter(name => name.startsWith(`${basename(path)}.copy-`))
	for (const name of drafts) rmSync(join(dirname(path), name), { force: true })
}
