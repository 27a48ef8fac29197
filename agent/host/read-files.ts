import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs'
import { codeOf } from '../../runtime/errors.ts'
import { failure, wordsOf } from '../model/failure.ts'
import type { FileState } from '../model/host-state.ts'
import { follow, statOf, unlessMissing } from './resolve-path.ts'

/** Reads the host's files. Each read has a size limit that is checked first, because a path may lead to anything. */

/** One character per byte, so that a file that MultiNIC does not manage is restored byte for byte, whatever its encoding. */
export const BYTE_ENCODING = 'latin1'

/** Maximum bytes of a configuration file. */
export const MAX_BYTES = 1 << 20

/** A file, or why it cannot be read; undefined if it does not exist. `isFile`: there is a file, but its content is unknown. */
export type Reading = { file: FileState } | { why: string; isFile: boolean } | undefined

/**
 * Reads the file at a path of the host. Opens only regular files: reading a pipe may never end, and opening a device may have side effects.
 *
 * @param maxBytes maximum bytes; a larger file is not read
 */
export function readRegularFile(root: string, path: string, maxBytes = MAX_BYTES): Reading {
	try {
		const { at, found } = follow(root, path)
		// Hosts mask a file with a symbolic link to /dev/null, so such a link is treated as an empty file.
		if (at === `${root}/dev/null`) return { file: { content: '', mode: 0o644, gid: 0 } }
		if (!found) return undefined
		return found.isFile() ? readAt(at, maxBytes) : { why: `it is ${kindOf(found)}`, isFile: false }
	} catch (error) {
		const code = codeOf(error)
		if (code === 'ELOOP') return { why: 'it is a symbolic link that points to itself', isFile: false }
		if (code === '') throw error
		return ['ENOENT', 'ENOTDIR'].includes(code) ? undefined : { why: wordsOf(error).replace(/, .*/, ''), isFile: true }
	}
}

function readAt(at: string, maxBytes: number): Reading {
	const descriptor = openSync(at, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW)
	try {
		const stats = fstatSync(descriptor)
		if (!stats.isFile()) return { why: `it is ${kindOf(stats)}`, isFile: false }
		const content = stats.size > maxBytes ? undefined : contentOf(descriptor, stats.size, maxBytes)
		if (content === undefined) return { why: `it is larger than ${maxBytes / MAX_BYTES} MiB`, isFile: true }
		return { file: { content, mode: stats.mode & 0o7777, gid: stats.gid } }
	} finally {
		closeSync(descriptor)
	}
}

/**
 * @param size of the file; 0 if the kernel does not report it, as in /proc
 * @returns undefined if the content is larger than `maxBytes`
 */
function contentOf(descriptor: number, size: number, maxBytes: number): string | undefined {
	const parts: Buffer[] = []
	let total = 0
	while (total <= maxBytes) {
		const buffer = Buffer.allocUnsafe(size > total ? size - total : 4096)
		const count = readSync(descriptor, buffer)
		total += count
		parts.push(buffer.subarray(0, count))
		if (count === 0 || total === size) return Buffer.concat(parts).toString(BYTE_ENCODING)
	}
	return undefined
}

function kindOf(stats: Stats): string {
	if (stats.isDirectory()) return 'a directory'
	if (stats.isFIFO()) return 'a named pipe'
	return stats.isSocket() ? 'a socket' : 'a device'
}

/**
 * Reads a file that is managed by MultiNIC.
 *
 * @returns undefined if it does not exist
 * @throws Failure COMMAND_FAILED if it is not a regular file or cannot be read
 */
export function readFile(root: string, path: string, maxBytes = MAX_BYTES): FileState | undefined {
	const found = readRegularFile(root, path, maxBytes)
	if (found && 'why' in found)
		throw failure('COMMAND_FAILED', `${path} cannot be read: ${found.why}; nothing was changed. Move it away (ls -ld ${path})`)
	return found?.file
}

/** Maximum total size of the files not managed by MultiNIC that are kept in memory (bytes). */
const MAX_KEPT_BYTES = 16 * MAX_BYTES

/**
 * Reads files that are not managed by MultiNIC.
 *
 * @returns a function that returns a file, with `unreadable` if its content is unknown; undefined if the path does not exist or is not a
 *   file, because then no daemon reads it either
 */
export function foreignReader(root: string): (path: string) => FileState | undefined {
	let keptBytes = 0
	return path => {
		const found =
			keptBytes > MAX_KEPT_BYTES
				? { why: `it and the other files that are read are larger than ${MAX_KEPT_BYTES / MAX_BYTES} MiB`, isFile: true }
				: readRegularFile(root, path)
		if (!found) return undefined
		if ('why' in found) return found.isFile ? { content: '', mode: 0, gid: 0, unreadable: found.why } : undefined
		keptBytes += found.file.content.length
		return found.file
	}
}

/**
 * Reads a file of the host that is only informative: if it cannot be read, it is treated as missing.
 *
 * @returns its text, one character per byte; empty if it cannot be read
 */
export function readText(root: string, path: string, maxBytes = MAX_BYTES): string {
	const found = readRegularFile(root, path, maxBytes)
	return found && 'file' in found ? found.file.content : ''
}

/** @returns the text that `readText` reads, decoded as UTF-8 and without surrounding whitespace */
export function readUtf8(root: string, path: string): string {
	return Buffer.from(readText(root, path), BYTE_ENCODING).toString().trim()
}

/**
 * Reads a kernel file below /proc or /sys.
 *
 * @param at path in this container
 * @returns undefined if it does not exist
 */
export function readSetting(at: string): string | undefined {
	return unlessMissing(() => {
		if (!statOf(at)) return undefined
		const found = readAt(at, MAX_BYTES)
		return found && 'file' in found ? found.file.content.trim() : undefined
	})
}

/**
 * @param at path in this container
 * @param maxBytes maximum bytes
 * @returns the beginning of a file; undefined if it does not exist or is not a regular file
 */
export function readBeginning(at: string, maxBytes: number): string | undefined {
	if (!statOf(at)?.isFile()) return undefined
	const descriptor = openSync(at, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW)
	try {
		const buffer = Buffer.alloc(maxBytes)
		return buffer.toString('utf8', 0, readSync(descriptor, buffer))
	} finally {
		closeSync(descriptor)
	}
}
