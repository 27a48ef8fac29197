import { randomBytes } from 'node:crypto'
import { chmodSync, linkSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { codeOf } from '../../runtime/errors.ts'
import { failure } from '../failure.ts'
import { LOCK_FOLDER } from '../paths.ts'

/**
 * One run on a host at a time. The lock is a listening socket below /run: it ends with its process, whatever ended that, and a pod
 * can tell a live one from a dead one though it sees no other pod's processes.
 *
 * @returns the function that lets go
 * @throws Failure LOCKED when another run holds it
 */
export async function lock(root: string): Promise<() => void> {
	const folder = root + LOCK_FOLDER
	mkdirSync(folder, { recursive: true })
	chmodSync(folder, 0o700)
	const own = `${folder}/${randomBytes(4).toString('hex')}`
	const server = await listen(own)
	try {
		await claim(folder, own)
	} catch (error) {
		server.close()
		throw error
	}
	return () => {
		rmSync(`${folder}/lock`, { force: true })
		server.close()
	}
}

/** A dead lock is moved aside before it is judged again: of two runs that find it at once, one may have made it live. */
async function claim(folder: string, own: string): Promise<void> {
	const path = `${folder}/lock`
	for (let attempt = 0; attempt < 5; attempt++) {
		if (tryLink(own, path)) return
		if (await isAlive(path)) throw failure('LOCKED', 'another run is at work on this host')
		const aside = `${own}-${attempt}`
		if (!tryRename(path, aside)) continue
		if (await isAlive(aside)) {
			tryLink(aside, path)
			rmSync(aside, { force: true })
			throw failure('LOCKED', 'another run is at work on this host')
		}
		rmSync(aside, { force: true })
	}
	throw failure('LOCKED', 'the lock of this host cannot be taken')
}

function listen(path: string): Promise<Server> {
	return new Promise((resolve, reject) => {
		const server = createServer(socket => socket.destroy())
		server.once('error', reject)
		server.listen(path, () => resolve(server.unref()))
	})
}

function isAlive(path: string): Promise<boolean> {
	return new Promise(resolve => {
		const socket = connect(path)
		socket.once('connect', () => {
			socket.destroy()
			resolve(true)
		})
		socket.once('error', () => resolve(false))
	})
}

function tryLink(from: string, to: string): boolean {
	return unless('EEXIST', () => linkSync(from, to))
}

function tryRename(from: string, to: string): boolean {
	return unless('ENOENT', () => renameSync(from, to))
}

function unless(code: string, act: () => void): boolean {
	try {
		act()
		return true
	} catch (error) {
		if (codeOf(error) === code) return false
		throw error
	}
}
