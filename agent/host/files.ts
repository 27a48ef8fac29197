import { randomBytes } from 'node:crypto'
import {
	accessSync,
	closeSync,
	constants,
	fchmodSync,
	fchownSync,
	fsyncSync,
	mkdirSync,
	openSync,
	readdirSync,
	renameSync,
	rmSync,
	writeFileSync,
	writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { codeOf } from '../../runtime/errors.ts'
import type { FileState } from '../model/host-state.ts'
import { BYTE_ENCODING } from './read-files.ts'
import { entryAt, follow, statOf, unlessMissing } from './resolve-path.ts'

/**
 * Accesses files of the host by their paths on the host. `root` is where the host's `/` is mounted; nothing outside it is read or written.
 */

/** @returns the sorted names in a directory; empty if it does not exist */
export function namesIn(root: string, folder: string): string[] {
	return (
		unlessMissing(() => {
			const { at, found } = follow(root, folder)
			return found?.isDirectory() ? readdirSync(at).sort() : []
		}) ?? []
	)
}

/** @returns whether the path exists; a dangling symbolic link is treated as existing */
export function exists(root: string, path: string): boolean {
	return unlessMissing(() => statOf(entryAt(root, path))) !== undefined
}

/** @returns the path of a program on the host; undefined if it is not installed */
export function programAt(root: string, program: string): string | undefined {
	return ['/usr/sbin', '/usr/bin', '/sbin', '/bin'].map(folder => `${folder}/${program}`).find(path => exists(root, path))
}

/** Writes one file, as `putFiles` does. */
export function putFile(root: string, path: string, file: FileState): void {
	putFiles(root, [[path, file]])
}

/**
 * Writes each file to a temporary file, syncs it and renames it into place: after a power failure, each file is either the old or the new
 * one. All files are written before the first one is synced, so that the run waits for the disk once instead of once per file.
 *
 * Creates missing directories. Removes the temporary files on error.
 */
export function putFiles(root: string, files: readonly (readonly [path: string, file: FileState])[]): void {
	const puts = files.map(([path, file]) => {
		const at = entryAt(root, path)
		return { at, file, temporary: `${dirname(at)}/.multinic-${randomBytes(6).toString('hex')}` }
	})
	const descriptors: number[] = []
	try {
		for (const { temporary, file } of puts) {
			makeFolder(dirname(temporary))
			const descriptor = openSync(temporary, 'wx', 0o600)
			descriptors.push(descriptor)
			write(descriptor, file)
		}
		for (const descriptor of descriptors) fsyncSync(descriptor)
		for (const { at, temporary } of puts) renameSync(temporary, at)
	} catch (error) {
		for (const { temporary } of puts) rmSync(temporary, { force: true })
		throw error
	} finally {
		for (const descriptor of descriptors) closeSync(descriptor)
	}
	for (const folder of new Set(puts.map(({ at }) => dirname(at)))) syncAt(folder)
}

/** On a read-only file system, Node reports that the directory does not exist; `accessSync` then throws the real error. */
function makeFolder(at: string): void {
	try {
		mkdirSync(at, { recursive: true })
	} catch (error) {
		if (codeOf(error) === 'ENOENT') accessSync(nearest(at), constants.W_OK)
		throw error
	}
}

function nearest(at: string): string {
	return statOf(at) ? at : nearest(dirname(at))
}

/**
 * Uses `writeFileSync`, because `writeSync` may write only part of the content if the disk is nearly full, and reports that only by its
 * return value.
 */
function write(descriptor: number, { content, mode, gid }: FileState): void {
	writeFileSync(descriptor, content, BYTE_ENCODING)
	fchownSync(descriptor, 0, gid)
	fchmodSync(descriptor, mode)
}

/** Removes the temporary files left by a `putFiles` call whose process was killed. */
export function removeTemporary(root: string, folder: string): void {
	const left = namesIn(root, folder).filter(name => /^\.multinic-[0-9a-f]{12}$/.test(name))
	for (const name of left) rmSync(entryAt(root, `${folder}/${name}`), { force: true })
}

/** Removes a file if it exists. */
export function removeFile(root: string, path: string): void {
	unlessMissing(() => {
		const at = entryAt(root, path)
		if (statOf(at)?.isDirectory()) throw new Error(`${path} is a directory`)
		rmSync(at)
		syncAt(dirname(at))
	})
}

/** Removes a file, or a directory with its contents, if it exists. */
export function removeAll(root: string, path: string): void {
	unlessMissing(() => rmSync(entryAt(root, path), { recursive: true, force: true }))
}

/** Writes a kernel setting in place, because files in /proc cannot be renamed. */
export function writeSetting(at: string, value: string): void {
	const descriptor = openSync(at, 'w')
	try {
		writeSync(descriptor, value)
	} finally {
		closeSync(descriptor)
	}
}

/** Syncs a directory, so that a rename or removal in it survives a power failure. */
export function syncFolder(root: string, folder: string): void {
	syncAt(follow(root, folder).at)
}

function syncAt(at: string): void {
	const descriptor = openSync(at, 'r')
	try {
		fsyncSync(descriptor)
	} finally {
		closeSync(descriptor)
	}
}
