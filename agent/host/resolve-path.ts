import { lstatSync, readlinkSync, type Stats } from 'node:fs'
import { basename, dirname } from 'node:path'
import { codeOf } from '../../runtime/errors.ts'

/**
 * Resolves paths of the host. Its symbolic links refer to its own root: an absolute one would otherwise lead into this container, and `..`
 * out of the root.
 */

/** As many as the kernel follows. @see path_resolution(7) */
const MOST_LINKS = 40

/** `found`: the entry at the path; absent: it does not exist. */
export type Place = { at: string; found?: Stats }

/**
 * Follows every symbolic link in a path of the host, as the host does.
 *
 * @param root where the host's `/` is mounted
 * @throws Error ELOOP for a link that leads to itself
 */
export function follow(root: string, path: string): Place {
	const done: string[] = []
	const left = partsOf(path)
	let found: Stats | undefined
	let links = 0
	for (let part = left.pop(); part !== undefined; part = left.pop()) {
		if (part === '..') done.pop()
		else done.push(part)
		const at = `${root}/${done.join('/')}`
		found = statOf(at)
		if (!found?.isSymbolicLink()) continue
		if (++links > MOST_LINKS) throw Object.assign(new Error(`ELOOP: ${path} is a symbolic link that leads to itself`), { code: 'ELOOP' })
		const target = readlinkSync(at)
		done.length = target.startsWith('/') ? 0 : done.length - 1
		left.push(...partsOf(target))
	}
	return { at: `${root}/${done.join('/')}`, ...(found && { found }) }
}

/** Returns them in reverse, the first last. */
function partsOf(path: string): string[] {
	return path
		.split('/')
		.filter(part => part !== '' && part !== '.')
		.toReversed()
}

/**
 * @returns where an entry of a folder of the host is. The entry may itself be a link, which is not followed: writing or removing it
 *   replaces the link
 */
export function entryAt(root: string, path: string): string {
	return `${follow(root, dirname(path)).at}/${basename(path)}`
}

/** @returns what is at this path in the container; a link is not followed */
export function statOf(at: string): Stats | undefined {
	return unlessMissing(() => lstatSync(at, missingIsNone))
}

/** Most of the files that are checked do not exist, and an error is expensive. */
const missingIsNone = { throwIfNoEntry: false } as const

/** @returns what was read; undefined if the file, or a folder of its path, does not exist or is a link that leads to itself */
export function unlessMissing<T>(read: () => T): T | undefined {
	try {
		return read()
	} catch (error) {
		if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(codeOf(error))) return undefined
		throw error
	}
}
