import { randomBytes } from 'node:crypto'
import { chmodSync, linkSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { codeOf } from '../../runtime/errors.ts'
import { failure, isFailure, wordsOf } from '../model/failure.ts'
import { LOCK_FOLDER } from '../model/paths.ts'
import { follow } from './resolve-path.ts'

/** Identifies the run that holds the lock. */
type LockHolder = { generation: number; attempt: number }

/**
 * Ensures that only one run at a time works on a host. The lock is a listening Unix socket below /run. It is released when its process
 * exits for any reason, and a pod can distinguish a live lock from a dead one although it cannot see the processes of other pods. A live
 * lock sends the identity of its holder to each client.
 *
 * @returns the function that releases the lock
 * @throws Failure LOCKED when another run holds it
 */
export async function acquireLock(root: string, holder: LockHolder): Promise<() => void> {
	try {
		return await holdIn(follow(root, LOCK_FOLDER).at, holder)
	} catch (error) {
		if (isFailure(error) || codeOf(error) === '') throw error
		throw failure('LOCKED', `the lock of this host (${LOCK_FOLDER}) cannot be taken, so nothing was changed: ${wordsOf(error)}`, {
			cause: error,
		})
	}
}

async function holdIn(folder: string, { generation, attempt }: LockHolder): Promise<() => void> {
	const own = `${folder}/${randomBytes(4).toString('hex')}`
	let words = ''
	const server = await listenIn(folder, own, () => words)
	const leave = () => {
		server.close()
		didUnless(['ENOTEMPTY', 'ENOENT', 'EBUSY'], () => rmdirSync(folder))
	}
	const unlock = () => {
		rmSync(`${folder}/lock`, { force: true })
		leave()
	}
	try {
		await acquire(folder, own)
	} catch (error) {
		leave()
		throw error
	}
	words = `generation ${generation}, attempt ${attempt}, since ${new Date().toISOString().slice(11, 19)}`
	await refuseOthers(folder, own).catch(error => {
		unlock()
		throw error
	})
	return unlock
}

/**
 * Moves a dead lock aside, then checks it again: if two runs find it concurrently, one of them may already have replaced it with a live
 * one.
 */
async function acquire(folder: string, own: string): Promise<void> {
	const path = `${folder}/lock`
	for (let attempt = 0; attempt < 5; attempt++) {
		if (tryLink(own, path)) return
		const holder = await queryHolder(path)
		if (holder !== undefined) throw lockedFailure(holder)
		const aside = `${own}-${attempt}`
		if (!tryRename(path, aside)) continue
		const other = await queryHolder(aside)
		if (other !== undefined) tryLink(aside, path)
		rmSync(aside, { force: true })
		if (other !== undefined) throw lockedFailure(other)
	}
	throw failure('LOCKED', 'the lock of this host cannot be taken')
}

/**
 * Fails if another run also holds a lock: while a live lock was moved aside, a third run may have created its own. If there are two
 * holders, each finds the other here. Also removes files left by dead runs.
 */
async function refuseOthers(folder: string, own: string): Promise<void> {
	for (const name of readdirSync(folder)) {
		const path = `${folder}/${name}`
		if (name === 'lock' || path === own) continue
		const holder = await queryHolder(path)
		if (holder === undefined) rmSync(path, { recursive: true, force: true })
		else if (holder !== '') throw lockedFailure(holder)
	}
}

function lockedFailure(holder: string) {
	return failure('LOCKED', `another run is in progress on this host${holder === '' ? '' : `: ${holder}`}`)
}

/** Retries, because the last run to end removes the directory, possibly at this moment. */
async function listenIn(folder: string, own: string, words: () => string): Promise<Server> {
	for (let chance = 1; ; chance++) {
		mkdirSync(folder, { recursive: true })
		didUnless(['ENOENT'], () => chmodSync(folder, 0o700))
		try {
			return await listen(own, words)
		} catch (error) {
			if (chance === 5 || !['ENOENT', 'EACCES'].includes(codeOf(error))) throw error
		}
	}
}

/** @param words what to send to each client */
function listen(path: string, words: () => string): Promise<Server> {
	return new Promise((resolve, reject) => {
		const server = createServer(socket => {
			socket.on('error', () => {}) // The client has disconnected.
			socket.end(words())
		})
		server.once('error', reject)
		server.listen(path, () => resolve(server.unref()))
	})
}

/** How long a live process may take to identify itself (milliseconds), and how much it may send (characters). */
const TIMEOUT_MS = 1_000
const MAX_CHARACTERS = 200

/**
 * @returns the text sent by the process that listens on this socket, empty if it does not hold the lock or is slow; undefined if no process
 *   listens
 */
function queryHolder(path: string): Promise<string | undefined> {
	return new Promise(resolve => {
		let text = ''
		const socket = connect({ path }).setEncoding('utf8')
		const end = (answer: string | undefined) => {
			clearTimeout(timeout)
			socket.destroy()
			resolve(answer?.slice(0, MAX_CHARACTERS))
		}
		const timeout = setTimeout(() => end(text), TIMEOUT_MS)
		socket.on('data', chunk => {
			text += chunk
			if (text.length > MAX_CHARACTERS) end(text)
		})
		socket.once('end', () => end(text))
		socket.once('error', error => end(['ECONNREFUSED', 'ENOENT'].includes(codeOf(error)) ? undefined : text))
	})
}

/** Returns false if `to` exists, or if another run has removed `from` because it was not listening yet. */
function tryLink(from: string, to: string): boolean {
	return didUnless(['EEXIST', 'ENOENT'], () => linkSync(from, to))
}

function tryRename(from: string, to: string): boolean {
	return didUnless(['ENOENT'], () => renameSync(from, to))
}

function didUnless(codes: readonly string[], act: () => void): boolean {
	try {
		act()
		return true
	} catch (error) {
		if (codes.includes(codeOf(error))) return false
		throw error
	}
}
