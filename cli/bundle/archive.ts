import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { pack } from 'tar-stream'
import { wordsOf } from '../../runtime/errors.ts'
import { failure } from '../failures.ts'

/** A file of an archive; text as UTF-8. */
export type Entry = { path: string; text: string }

/**
 * Writes a `.tar.gz` that only its owner can read, whole or not at all.
 *
 * @param folder the one folder in it that holds everything
 * @param time of all files
 * @throws Failure NOT_WRITTEN with the file and why
 */
export async function writeArchive(file: string, folder: string, entries: readonly Entry[], time: Date): Promise<void> {
	const part = `${file}.part`
	const archive = pack()
	for (const { path, text } of entries) archive.entry({ name: `${folder}/${path}`, mtime: time, mode: 0o600 }, text)
	archive.finalize()
	try {
		await pipeline(archive, createGzip(), createWriteStream(part, { mode: 0o600 }))
		await rename(part, file)
	} catch (error) {
		await rm(part, { force: true })
		throw failure('NOT_WRITTEN', `${file} cannot be written: ${wordsOf(error)}`)
	}
}
