import { rmSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { holdLock, type Lock, tryLock } from './lock.ts'

/** The folder of one lab. Its path is short (a unix socket's path has 107 bytes), private, and gone after `remove`. */
export interface RunDir {
	readonly path: string
	remove(): Promise<void>
}

const lockName = 'alive.lock'

/**
 * Creates a folder for one run and holds its lock as long as this process lives. It first removes what labs that died without cleaning up
 * left behind: those whose lock no process holds. Their processes are already gone, because the kernel ended them with the lab.
 */
export async function makeRunDir(kind: string): Promise<RunDir> {
	const labs = join(tmpdir(), `multinic-${userInfo().uid}`)
	await mkdir(labs, { recursive: true, mode: 0o700 })
	// One at a time: a folder that was just created and is not locked yet must not look like a leftover.
	await using _turn = await holdLock(`${labs}.lock`)
	await removeLeftovers(labs)
	const path = await mkdtemp(join(labs, `${kind}-`))
	const lock = await tryLock(join(path, lockName))
	const atExit = () => rmSync(path, { recursive: true, force: true, maxRetries: 2 })
	process.once('exit', atExit)
	const remove = async () => {
		await release(path, lock)
		process.removeListener('exit', atExit) // not before: an exit in the meantime would leave half of it
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
