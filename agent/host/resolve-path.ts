import { lstatSync, readlinkSync, type Stats } from 'node:fs'
import { basename, dirname } from 'node:path'
import { codeOf } from '../../runtime/errors.ts'

/**
 * Resolves paths of the host within its own root. Otherwise an absolute symbolic link would lead into this container, and `..` out of the
 * root.
 */

/** Maximum number of symbolic links in a path, as in the kernel. @see path_resolution(7) */
const MAX_LINKS = 40

/** `found`: the entry at the path; absent if it does not exist. */
export type Place = { at: string; found?: Stats }

/**
 * Follows every symbolic link in a path of the host, as the host does.
 *
 * @param root where the host's `/` is mounted
 * @throws Error ELOOP for a link that points to itself
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
		if (++links > MAX_LINKS) throw Object.assign(new Error(`ELOOP: ${path} is a symbolic link that points to itself`), { code: 'ELOOP' })
		const target = readlinkSync(at)
		done.length = target.startsWith('/') ? 0 : done.length - 1
		left.push(...partsOf(target))
	}
	return { at: `${root}/${done.join('/')}`, ...(found && { found }) }
}

/** Returns the components of a path in reverse order. */
function partsOf(path: string): string[] {
	return path
		.split('/')
		.filter(part => part !== '' && part !== '.')
		.toReversed()
}

/**
 * @returns the path in this container of a host path. Does not follow a symbolic link in the last component: writing or removing the entry
 *   replaces or removes the link itself
 */
export function entryAt(root: string, path: string): string {
	return `${follow(root, dirname(path)).at}/${basename(path)}`
}

/** @returns the entry at this path of the container, without following a symbolic link; undefined if it does not exist */
export function statOf(at: string): Stats | undefined {
	return unlessMissing(() => lstatSync(at, missingIsNone))
}

/** Most of the files that are checked do not exist, and throwing an error is expensive. */
const missingIsNone = { throwIfNoEntry: false } as const

/**
 * @returns the result of `read`; undefined if the file, or a directory in its path, does not exist or is a symbolic link that leads to
 *   itself
 */
export function unlessMissing<T>(read: () => T): T | undefined {
	try {
		return read()
	} catch (error) {
		if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(codeOf(error))) return undefined
		throw error
	}
}
