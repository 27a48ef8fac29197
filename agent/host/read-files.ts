import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs'
import { codeOf } from '../../runtime/errors.ts'
import { failure, wordsOf } from '../model/failure.ts'
import type { FileState } from '../model/host-state.ts'
import { follow, statOf, unlessMissing } from './resolve-path.ts'

/** Reads the host's files, each with a limit that is checked first: a path may hold anything. */

/** One character per byte: a file not managed by MultiNIC is restored byte for byte, whatever its encoding. */
export const BYTES = 'latin1'

/** Maximum bytes of a configuration file. */
export const MOST = 1 << 20

/** A file, or why it cannot be read; `isFile`: it is nevertheless a file, with any content. Undefined: it does not exist. */
export type Reading = { file: FileState } | { why: string; isFile: boolean } | undefined

/**
 * Reads what is at a path of the host. Only a regular file is opened: a pipe would never end, and a device may do anything.
 *
 * @param most maximum bytes; a larger file is not read
 */
export function read(root: string, path: string, most = MOST): Reading {
	try {
		const { at, found } = follow(root, path)
		// Hosts mask a file with a link to /dev/null, which then counts as empty.
		if (at === `${root}/dev/null`) return { file: { content: '', mode: 0o644, gid: 0 } }
		if (!found) return undefined
		return found.isFile() ? readAt(at, most) : { why: `it is ${kindOf(found)}`, isFile: false }
	} catch (error) {
		const code = codeOf(error)
		if (code === 'ELOOP') return { why: 'it is a symbolic link that leads to itself', isFile: false }
		if (code === '') throw error
		return ['ENOENT', 'ENOTDIR'].includes(code) ? undefined : { why: wordsOf(error).replace(/, .*/, ''), isFile: true }
	}
}

function readAt(at: string, most: number): Reading {
	const descriptor = openSync(at, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW)
	try {
		const stats = fstatSync(descriptor)
		if (!stats.isFile()) return { why: `it is ${kindOf(stats)}`, isFile: false }
		const content = stats.size > most ? undefined : contentOf(descriptor, stats.size, most)
		if (content === undefined) return { why: `it is larger than ${most / MOST} MiB`, isFile: true }
		return { file: { content, mode: stats.mode & 0o7777, gid: stats.gid } }
	} finally {
		closeSync(descriptor)
	}
}

/**
 * @param size 0 if the kernel does not report it, as in /proc
 * @returns undefined if there is more than `most`
 */
function contentOf(descriptor: number, size: number, most: number): string | undefined {
	const parts: Buffer[] = []
	let total = 0
	while (total <= most) {
		const buffer = Buffer.allocUnsafe(size > total ? size - total : 4096)
		const count = readSync(descriptor, buffer)
		total += count
		parts.push(buffer.subarray(0, count))
		if (count === 0 || total === size) return Buffer.concat(parts).toString(BYTES)
	}
	return undefined
}

function kindOf(stats: Stats): string {
	if (stats.isDirectory()) return 'a folder'
	if (stats.isFIFO()) return 'a named pipe'
	return stats.isSocket() ? 'a socket' : 'a device'
}

/**
 * Reads a file that is managed by MultiNIC.
 *
 * @returns undefined if it does not exist
 * @throws Failure COMMAND_FAILED if it is not a file or cannot be read
 */
export function readFile(root: string, path: string, most = MOST): FileState | undefined {
	const found = read(root, path, most)
	if (found && 'why' in found)
		throw failure('COMMAND_FAILED', `${path} cannot be read: ${found.why}; nothing was changed. Move it away (ls -ld ${path})`)
	return found?.file
}

/** Maximum bytes of all files not managed by MultiNIC that are kept. */
const MOST_KEPT = 16 * MOST

/**
 * Reads files that are not managed by MultiNIC.
 *
 * @returns a function that returns undefined if a file does not exist or is not a file, because then no daemon reads it either;
 *   `unreadable` is set if its content is unknown
 */
export function foreignReader(root: string): (path: string) => FileState | undefined {
	let kept = 0
	return path => {
		const found =
			kept > MOST_KEPT ? { why: `it and the files beside it are larger than ${MOST_KEPT / MOST} MiB`, isFile: true } : read(root, path)
		if (!found) return undefined
		if ('why' in found) return found.isFile ? { content: '', mode: 0, gid: 0, unreadable: found.why } : undefined
		kept += found.file.content.length
		return found.file
	}
}

/**
 * Reads a file of the host that is only informative: one that cannot be read counts as missing.
 *
 * @returns its text, one character per byte; empty when it cannot be read
 */
export function readText(root: string, path: string, most = MOST): string {
	const found = read(root, path, most)
	return found && 'file' in found ? found.file.content : ''
}

/** @returns the same text as UTF-8, without surrounding whitespace */
export function textOf(root: string, path: string): string {
	return Buffer.from(readText(root, path), BYTES).toString().trim()
}

/**
 * Reads a file of the kernel, below /proc or /sys.
 *
 * @param at path in this container
 * @returns undefined if it does not exist
 */
export function readSetting(at: string): string | undefined {
	return unlessMissing(() => {
		if (!statOf(at)) return undefined
		const found = readAt(at, MOST)
		return found && 'file' in found ? found.file.content.trim() : undefined
	})
}

/**
 * @param at in this container
 * @param most maximum bytes
 * @returns the beginning of a file; undefined if it does not exist
 */
export function beginningOf(at: string, most: number): string | undefined {
	if (!statOf(at)?.isFile()) return undefined
	const descriptor = openSync(at, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW)
	try {
		const buffer = Buffer.alloc(most)
		return buffer.toString('utf8', 0, readSync(descriptor, buffer))
	} finally {
		closeSync(descriptor)
	}
}
