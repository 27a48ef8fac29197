import { randomBytes } from 'node:crypto'
import {
	closeSync,
	fchmodSync,
	fchownSync,
	fsyncSync,
	lstatSync,
	mkdirSync,
	openSync,
	readdirSync,
	readFileSync,
	readlinkSync,
	renameSync,
	rmSync,
	statSync,
	writeFileSync,
	writeSync,
} from 'node:fs'
import { dirname, resolve } from 'node:path'
import { codeOf } from '../../runtime/errors.ts'
import type { FileState } from './state.ts'

/** One character a byte: a file of others is put back byte for byte, whatever it is written in. */
const BYTES = 'latin1'

/** @returns content, mode and group of a file, or undefined when there is none */
export function readFile(path: string): FileState | undefined {
	return unlessMissing(() => {
		const found = statSync(path, missingIsNone)
		return found && { content: readFileSync(path, BYTES), mode: found.mode & 0o7777, gid: found.gid }
	})
}

/**
 * Reads a file of the host whose path, or a folder of it, may be a link: an absolute one means the host's root, not the one of this
 * container.
 *
 * @param path below `root`
 * @returns its text; empty when it is not there
 */
export function readHostFile(root: string, path: string, linksLeft = 8): string {
	const link = [...path.matchAll(/\/|$/g)].map(({ index }) => path.slice(0, index)).find(part => part !== '' && isLink(root + part))
	if (link === undefined) return readFile(root + path)?.content ?? ''
	const target = resolve(dirname(link), readlinkSync(root + link))
	return linksLeft > 0 ? readHostFile(root, target + path.slice(link.length), linksLeft - 1) : ''
}

function isLink(path: string): boolean {
	return unlessMissing(() => lstatSync(path))?.isSymbolicLink() ?? false
}

/** @returns the names in a folder, sorted; none when it is not there */
export function namesIn(folder: string): string[] {
	return unlessMissing(() => readdirSync(folder).sort()) ?? []
}

/** @returns whether something has this path; a link counts, for a host's absolute links point elsewhere from here */
export function exists(path: string): boolean {
	return unlessMissing(() => lstatSync(path, missingIsNone)) !== undefined
}

/** @returns the path of a program on the host, or undefined when it has none of that name */
export function programAt(root: string, program: string): string | undefined {
	return ['/usr/sbin', '/usr/bin', '/sbin', '/bin'].map(folder => `${folder}/${program}`).find(path => exists(root + path))
}

/** Puts one file in place, as `putFiles` does. */
export function putFile(path: string, file: FileState): void {
	putFiles([[path, file]])
}

/**
 * Puts files in place by renaming, with what they hold already on the disk: after a power cut each is the old one or the new one.
 * All are written before the first is waited for, so that the disk is kept waiting once and not for each.
 *
 * Folders that are missing are made. An error leaves none of the temporary files behind.
 */
export function putFiles(files: readonly (readonly [path: string, file: FileState])[]): void {
	const puts = files.map(([path, file]) => ({ path, file, temporary: `${dirname(path)}/.multinic-${randomBytes(6).toString('hex')}` }))
	const descriptors: number[] = []
	try {
		for (const { temporary, file } of puts) {
			mkdirSync(dirname(temporary), { recursive: true })
			const descriptor = openSync(temporary, 'wx', 0o600)
			descriptors.push(descriptor)
			write(descriptor, file)
		}
		for (const descriptor of descriptors) fsyncSync(descriptor)
		for (const { path, temporary } of puts) renameSync(temporary, path)
	} catch (error) {
		for (const { temporary } of puts) rmSync(temporary, { force: true })
		throw error
	} finally {
		for (const descriptor of descriptors) closeSync(descriptor)
	}
	for (const folder of new Set(files.map(([path]) => dirname(path)))) syncFolder(folder)
}

/** `writeFileSync`, for `writeSync` may write less than it was given where a disk is nearly full, and says so in a number only. */
function write(descriptor: number, { content, mode, gid }: FileState): void {
	writeFileSync(descriptor, content, BYTES)
	fchownSync(descriptor, 0, gid)
	fchmodSync(descriptor, mode)
}

/** Removes what `putFiles` was about to put in place when its process was killed. */
export function removeTemporary(folder: string): void {
	for (const name of namesIn(folder)) if (/^\.multinic-[0-9a-f]{12}$/.test(name)) rmSync(`${folder}/${name}`, { force: true })
}

/** Removes a file if it is there. */
export function removeFile(path: string): void {
	unlessMissing(() => {
		rmSync(path)
		syncFolder(dirname(path))
	})
}

/** Writes a kernel setting: in place, for /proc knows no renaming. */
export function writeSetting(path: string, value: string): void {
	const descriptor = openSync(path, 'w')
	try {
		writeSync(descriptor, value)
	} finally {
		closeSync(descriptor)
	}
}

/** Makes a renaming or a removal in this folder last through a power cut. */
export function syncFolder(folder: string): void {
	const descriptor = openSync(folder, 'r')
	try {
		fsyncSync(descriptor)
	} finally {
		closeSync(descriptor)
	}
}

/** Most files that are looked for are not there, and an error is dear. */
const missingIsNone = { throwIfNoEntry: false } as const

/** @returns what was read; undefined where the file, or a folder of its path, is not there */
export function unlessMissing<T>(read: () => T): T | undefined {
	try {
		return read()
	} catch (error) {
		if (['ENOENT', 'ENOTDIR'].includes(codeOf(error))) return undefined
		throw error
	}
}
