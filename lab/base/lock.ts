import { once } from 'node:events'
import { execa } from 'execa'

/** A lock that is held until it is disposed of, or until this process is gone, however it ended. */
export interface Lock extends AsyncDisposable {
	readonly path: string
}

/** Waits for the lock on a file (which is created) and holds it. */
export async function holdLock(path: string): Promise<Lock> {
	const lock = await take(path, [])
	if (!lock) throw new Error(`no lock on ${path}: is flock (util-linux) installed, and the folder there?`)
	return lock
}

/** Holds the lock on a file, or immediately returns undefined if another process does. */
export async function tryLock(path: string): Promise<Lock | undefined> {
	return take(path, ['--nonblock'])
}

/**
 * Takes the kernel's own lock in a child process, which ends when its standard input does: nothing is left to clean up when this process is
 * killed, so no lock is ever stale.
 */
async function take(path: string, flags: string[]): Promise<Lock | undefined> {
	const holder = execa('flock', [...flags, '--no-fork', path, 'sh', '-c', 'echo held; exec cat'], {
		detached: true, // Ctrl-C in a terminal reaches every process of the group: the lock must outlive the clean-up that it guards
		reject: false,
		stdin: 'pipe',
		stderr: 'ignore',
		buffer: false,
	})
	const held = await Promise.race([once(holder.stdout, 'data').then(() => true), holder.then(() => false)])
	if (!held) return undefined
	unreference(holder)
	const release = async () => {
		holder.ref()
		holder.stdin.end()
		await holder
	}
	return { path, [Symbol.asyncDispose]: release }
}

/** A held lock does not keep this process alive. */
function unreference(holder: { unref(): void; stdin: object | null; stdout: object | null }): void {
	holder.unref()
	for (const pipe of [holder.stdin, holder.stdout]) if (pipe && 'unref' in pipe && typeof pipe.unref === 'function') pipe.unref()
}
