import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs'
import { codeOf } from '../../runtime/errors.ts'
import { failure, wordsOf } from '../failure.ts'
import type { FileState } from './state.ts'
import { follow, statOf, unlessMissing } from './within.ts'

/** Reading of the host's files, each bounded before it is read: what stands at a path may be anything. */

/** One character a byte: a file of others is restored byte for byte, whatever it is written in. */
export const BYTES = 'latin1'

/** Bytes of a configuration file. */
export const MOST = 1 << 20

/** A file, or why it cannot be read; `isFile`: it is a file all the same, and may say anything. Undefined: nothing is there. */
export type Reading = { file: FileState } | { why: string; isFile: boolean } | undefined

/**
 * Reads what stands at a path of the host. Only a regular file is opened: a pipe would never end, and a device may do anything.
 *
 * @param most bytes; a larger file is not read
 */
export function read(root: string, path: string, most = MOST): Reading {
	try {
		const { at, found } = follow(root, path)
		// How a host masks a file, which is then as good as empty.
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
 * @param size 0 where the kernel does not tell it, as in /proc
 * @returns undefined where there is more than `most`
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
 * Reads a file that is ours to write.
 *
 * @returns undefined where it is not there
 * @throws Failure COMMAND_FAILED where something else is there, or it cannot be read
 */
export function readFile(root: string, path: string, most = MOST): FileState | undefined {
	const found = read(root, path, most)
	if (found && 'why' in found)
		throw failure('COMMAND_FAILED', `${path} cannot be read: ${found.why}; nothing was changed. Move it away (ls -ld ${path})`)
	return found?.file
}

/** Bytes of all files of others that are kept. */
const MOST_KEPT = 16 * MOST

/**
 * Reads files of others.
 *
 * @returns a function that returns undefined where a file is not there or is no file at all, because then no daemon reads it either;
 *   `unreadable` where it may say anything
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
 * Reads a file of the host that only informs: one that cannot be read tells no more than one that is not there.
 *
 * @returns its text, one character a byte; empty when it cannot be read
 */
export function readText(root: string, path: string, most = MOST): string {
	const found = read(root, path, most)
	return found && 'file' in found ? found.file.content : ''
}

/** @returns the same text without space around it, as UTF-8 */
export function textOf(root: string, path: string): string {
	return Buffer.from(readText(root, path), BYTES).toString().trim()
}

/**
 * Reads a file of the kernel, below /proc or /sys.
 *
 * @param at in this container
 * @returns undefined where it is not there
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
 * @param most bytes
 * @returns the beginning of a file; undefined where there is none
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
