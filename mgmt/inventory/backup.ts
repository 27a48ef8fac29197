import { randomUUID } from 'node:crypto'
import { closeSync, createReadStream, fstatSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Readable } from 'node:stream'
import { type Kysely, sql } from 'kysely'
import type { Schema } from './schema.ts'
import { check, draftName, IN_MEMORY } from './sqlite-file.ts'

/**
 * Makes a copy beside the database, verifies it, and returns it as a stream. The copy has no name any more when this returns, so it needs no
 * space after the stream has ended, whatever happens.
 *
 * @throws the error of SQLite: also if the copy is damaged or there is no space for it
 */
export async function backup(db: Kysely<Schema>, file: string): Promise<{ bytes: number; stream: Readable }> {
	const copy = draftName(file === IN_MEMORY ? join(tmpdir(), 'inventory') : file, randomUUID())
	try {
		await sql`vacuum into ${copy}`.execute(db)
		verify(copy)
		const fd = openSync(copy, 'r')
		try {
			const bytes = fstatSync(fd).size
			return { bytes, stream: createReadStream('', { fd, start: 0, autoClose: true }) }
		} catch (error) {
			closeSync(fd)
			throw error
		}
	} finally {
		for (const part of ['', '-journal', '-wal']) rmSync(`${copy}${part}`, { force: true })
	}
}

function verify(copy: string): void {
	const database = new DatabaseSync(copy, { readOnly: true })
	try {
		check(database)
	} finally {
		database.close()
	}
}
