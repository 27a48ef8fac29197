import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { holdLock } from './lock.ts'

/**
 * Returns a path in the lab's cache of items that are expensive to make: binaries, packages, root file systems, images. The cache is safe
 * to delete while no lab runs.
 */
export function cacheDir(...parts: string[]): string {
	return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'multinic', ...parts)
}

/** Returns the first 12 hex digits of the SHA-256 over the parts. The name of a cached item contains the fingerprint of all its inputs. */
export function fingerprint(...parts: (string | Buffer)[]): string {
	const hash = createHash('sha256')
	for (const part of parts) hash.update(part).update('\0')
	return hash.digest('hex').slice(0, 12)
}

/** Like `fingerprint`, over the content of files. A file that does not exist is an error. */
export async function fingerprintFiles(...paths: string[]): Promise<string> {
	return fingerprint(...(await Promise.all(paths.map(path => readFile(path)))))
}

/**
 * Creates `path` unless it exists, and returns it. `make` fills a draft next to it, which is then renamed, so that a path with the final
 * name is always complete. A second process that needs the same path waits for the first.
 */
export async function makeOnce(path: string, make: (draft: string) => Promise<void>): Promise<string> {
	if (await exists(path)) return path
	await mkdir(dirname(path), { recursive: true })
	await using _lock = await holdLock(`${path}.lock`)
	if (await exists(path)) return path
	const draft = `${path}.draft`
	await rm(draft, { recursive: true, force: true })
	await make(draft)
	await rename(draft, path)
	return path
}

/** Removes all but the newest `count` files with this name ending from a directory, and the lock files of the removed ones. */
export async function keepNewest(folder: string, ending: string, count: number): Promise<void> {
	const names = (await readdir(folder)).filter(name => name.endsWith(ending))
	const aged = await Promise.all(names.map(async name => ({ name, made: (await stat(join(folder, name))).mtimeMs })))
	for (const { name } of aged.sort((a, b) => b.made - a.made).slice(count)) {
		for (const path of [name, `${name}.lock`]) await rm(join(folder, path), { force: true })
	}
}

/** Reports whether anything exists at that path. */
export async function exists(path: string): Promise<boolean> {
	return stat(path).then(
		() => true,
		() => false,
	)
}
