import { rmSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { holdLock, type Lock, tryLock } from './lock.ts'

/**
 * The directory of one lab. It is private, and its path is short because a Unix socket path is limited to 107 bytes. `remove` deletes it.
 */
export interface RunDir {
	readonly path: string
	remove(): Promise<void>
}

const lockName = 'alive.lock'

/**
 * Creates a directory for one run, and holds its lock as long as this process lives. It first removes the directories of labs that died
 * without cleaning up, which are those whose lock no process holds. The processes of such a lab no longer exist, because the kernel killed
 * them with it.
 */
export async function makeRunDir(kind: string): Promise<RunDir> {
	const labs = join(tmpdir(), `multinic-${userInfo().uid}`)
	await mkdir(labs, { recursive: true, mode: 0o700 })
	// One process at a time: a new directory that is not locked yet must not look like a leftover to another process.
	await using _turn = await holdLock(`${labs}.lock`)
	await removeLeftovers(labs)
	const path = await mkdtemp(join(labs, `${kind}-`))
	const lock = await tryLock(join(path, lockName))
	const atExit = () => rmSync(path, { recursive: true, force: true, maxRetries: 2 })
	process.once('exit', atExit)
	const remove = async () => {
		await release(path, lock)
		process.removeListener('exit', atExit) // not earlier: an exit during the removal would leave part of the directory
	}
	return { path, remove }
}

async function release(path: string, lock: Lock | undefined): Promise<void> {
	await rm(path, { recursive: true, force: true })
	await lock?.[Symbol.asyncDispose]()
}

async function removeLeftovers(labs: string): Promise<void> {
	for (const name of await readdir(labs)) {
		const path = join(labs, name)
		const lock = await tryLock(join(path, lockName))
		if (lock) await release(path, lock)
	}
}
