import { createWriteStream } from 'node:fs'
import { realpath, rename, rm, stat } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { type Pack, pack } from 'tar-stream'
import { wordsOf } from '../../runtime/errors.ts'
import { failure } from '../model/failures.ts'

/** A file in an archive; its text is written as UTF-8. */
export type Entry = { path: string; text: string }

/**
 * Writes a `.tar.gz` that only its owner can read. A file is written atomically. An existing path that is not a file, such as a pipe or
 * `/dev/stdout`, is opened and written to instead of being replaced.
 *
 * @param folder name of the top-level directory in the archive
 * @param time modification time of all files in the archive
 * @returns whether a file was written
 * @throws Failure NOT_WRITTEN with the file and the reason
 */
export async function writeArchive(file: string, folder: string, entries: readonly Entry[], time: Date): Promise<boolean> {
	const archive = pack()
	for (const { path, text } of entries) {
		const entry = archive.entry({ name: `${folder}/${path}`, mtime: time, mode: 0o600 }, text)
		entry.on('error', () => {}) // an error of the archive also ends the entry, and is reported below
	}
	archive.finalize()
	const isFile = (await stat(file).catch(() => undefined))?.isFile()
	const write = isFile === false ? writeInto : replace
	try {
		await write(isFile ? await realpath(file) : file, archive)
		return isFile !== false
	} catch (error) {
		throw failure('NOT_WRITTEN', `${file} cannot be written: ${wordsOf(error)}`)
	}
}

function writeInto(path: string, archive: Pack): Promise<void> {
	return pipeline(archive, createGzip(), createWriteStream(path, { mode: 0o600 }))
}

async function replace(path: string, archive: Pack): Promise<void> {
	const part = `${path}.part`
	try {
		await writeInto(part, archive)
		await rename(part, path)
	} catch (error) {
		await rm(part, { force: true })
		throw error
	}
}
