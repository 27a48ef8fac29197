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
import { BYTES } from './read.ts'
import type { FileState } from './state.ts'
import { entryAt, follow, statOf, unlessMissing } from './within.ts'

/** Files of the host, by paths below its root (`root`, where its `/` is mounted). Nothing is read or written outside of that. */

/** @returns the names in a folder, sorted; none when it is not there */
export function namesIn(root: string, folder: string): string[] {
	return (
		unlessMissing(() => {
			const { at, found } = follow(root, folder)
			return found?.isDirectory() ? readdirSync(at).sort() : []
		}) ?? []
	)
}

/** @returns whether something has this path, which may be a link to something that is not there */
export function exists(root: string, path: string): boolean {
	return unlessMissing(() => statOf(entryAt(root, path))) !== undefined
}

/** @returns the path of a program on the host, or undefined when it has none of that name */
export function programAt(root: string, program: string): string | undefined {
	return ['/usr/sbin', '/usr/bin', '/sbin', '/bin'].map(folder => `${folder}/${program}`).find(path => exists(root, path))
}

/** Puts one file in place, as `putFiles` does. */
export function putFile(root: string, path: string, file: FileState): void {
	putFiles(root, [[path, file]])
}

/**
 * Puts files in place by renaming, with what they hold already on the disk: after a power cut each is the old one or the new one.
 * All are written before the first is waited for, so that the disk is kept waiting once and not for each.
 *
 * Folders that are missing are made. An error leaves none of the temporary files behind.
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

/** Of a file system that is read-only Node says that the folder is not there. */
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

/** `writeFileSync`, for `writeSync` may write less than it was given where a disk is nearly full, and says so in a number only. */
function write(descriptor: number, { content, mode, gid }: FileState): void {
	writeFileSync(descriptor, content, BYTES)
	fchownSync(descriptor, 0, gid)
	fchmodSync(descriptor, mode)
}

/** Removes what `putFiles` was about to put in place when its process was killed. */
export function removeTemporary(root: string, folder: string): void {
	const left = namesIn(root, folder).filter(name => /^\.multinic-[0-9a-f]{12}$/.test(name))
	for (const name of left) rmSync(entryAt(root, `${folder}/${name}`), { force: true })
}

/** Removes a file if it is there. */
export function removeFile(root: string, path: string): void {
	unlessMissing(() => {
		const at = entryAt(root, path)
		if (statOf(at)?.isDirectory()) throw new Error(`${path} is a folder`)
		rmSync(at)
		syncAt(dirname(at))
	})
}

/** Removes a file or a folder with all that is in it, if it is there. */
export function removeAll(root: string, path: string): void {
	unlessMissing(() => rmSync(entryAt(root, path), { recursive: true, force: true }))
}

/** Writes a kernel setting: in place, for /proc knows no renaming. */
export function writeSetting(at: string, value: string): void {
	const descriptor = openSync(at, 'w')
	try {
		writeSync(descriptor, value)
	} finally {
		closeSync(descriptor)
	}
}

/** Makes a renaming or a removal in this folder last through a power cut. */
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
