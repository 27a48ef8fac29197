import { closeSync, openSync, readSync } from 'node:fs'
import { readHostFile } from './files.ts'

/**
 * Reads a file of the host that only informs: one that cannot be read tells no more than one that is not there.
 *
 * @param path below `root`
 * @returns its text without space around it; empty when it cannot be read
 */
export function textOf(root: string, path: string): string {
	try {
		return Buffer.from(readHostFile(root, path), 'latin1').toString().trim()
	} catch {
		return ''
	}
}

/**
 * @param most bytes
 * @returns the beginning of a file
 */
export function beginningOf(path: string, most: number): string {
	const descriptor = openSync(path, 'r')
	try {
		const buffer = Buffer.alloc(most)
		return buffer.toString('utf8', 0, readSync(descriptor, buffer))
	} finally {
		closeSync(descriptor)
	}
}
