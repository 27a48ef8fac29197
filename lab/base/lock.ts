import { once } from 'node:events'
import { execa } from 'execa'

/** A lock that is held until it is disposed of, or until the current process exits for any reason. */
export interface Lock extends AsyncDisposable {
	readonly path: string
}

/** Creates the lock file if necessary, then waits for the lock and takes it. */
export async function holdLock(path: string): Promise<Lock> {
	const lock = await take(path, [])
	if (!lock) throw new Error(`no lock on ${path}: check that flock (util-linux) is installed and that the directory exists`)
	return lock
}

/** Takes the lock on a file, or immediately returns undefined if another process holds it. */
export async function tryLock(path: string): Promise<Lock | undefined> {
	return take(path, ['--nonblock'])
}

/**
 * Takes a kernel lock in a child process that exits when its standard input closes. If the current process is killed, the kernel closes
 * that input and releases the lock, so no lock is ever stale.
 */
async function take(path: string, flags: string[]): Promise<Lock | undefined> {
	const holder = execa('flock', [...flags, '--no-fork', path, 'sh', '-c', 'echo held; exec cat'], {
		detached: true, // Ctrl-C in a terminal reaches every process of the group, but the lock must be held until the cleanup is done
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

/** Allows the current process to exit while it still holds the lock. */
function unreference(holder: { unref(): void; stdin: object | null; stdout: object | null }): void {
	holder.unref()
	for (const pipe of [holder.stdin, holder.stdout]) if (pipe && 'unref' in pipe && typeof pipe.unref === 'function') pipe.unref()
}
