import { randomBytes } from 'node:crypto'
import { chmodSync, linkSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { codeOf } from '../../runtime/errors.ts'
import { failure, isFailure, wordsOf } from '../model/failure.ts'
import { LOCK_FOLDER } from '../model/paths.ts'
import { follow } from './resolve-path.ts'

/** How a holder identifies itself. */
type Holder = { generation: number; attempt: number }

/**
 * Ensures that one run at a time works on a host. The lock is a listening socket below /run. It ends with its process, however that ended,
 * and a pod can distinguish a live one from a dead one although it does not see the processes of other pods. A live lock reports its holder
 * to each client.
 *
 * @returns the function that releases the lock
 * @throws Failure LOCKED when another run holds it
 */
export async function lock(root: string, holder: Holder): Promise<() => void> {
	try {
		return await hold(follow(root, LOCK_FOLDER).at, holder)
	} catch (error) {
		if (isFailure(error) || codeOf(error) === '') throw error
		throw failure('LOCKED', `the lock of this host (${LOCK_FOLDER}) cannot be taken, so nothing was changed: ${wordsOf(error)}`, {
			cause: error,
		})
	}
}

async function hold(folder: string, { generation, attempt }: Holder): Promise<() => void> {
	const own = `${folder}/${randomBytes(4).toString('hex')}`
	let words = ''
	const server = await listenIn(folder, own, () => words)
	const leave = () => {
		server.close()
		unless(['ENOTEMPTY', 'ENOENT', 'EBUSY'], () => rmdirSync(folder))
	}
	const unlock = () => {
		rmSync(`${folder}/lock`, { force: true })
		leave()
	}
	try {
		await claim(folder, own)
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

/** A dead lock is moved aside and then checked again: of two runs that find it concurrently, one may already have made it live. */
async function claim(folder: string, own: string): Promise<void> {
	const path = `${folder}/lock`
	for (let attempt = 0; attempt < 5; attempt++) {
		if (tryLink(own, path)) return
		const holder = await ask(path)
		if (holder !== undefined) throw locked(holder)
		const aside = `${own}-${attempt}`
		if (!tryRename(path, aside)) continue
		const other = await ask(aside)
		if (other !== undefined) tryLink(aside, path)
		rmSync(aside, { force: true })
		if (other !== undefined) throw locked(other)
	}
	throw failure('LOCKED', 'the lock of this host cannot be taken')
}

/**
 * While a live lock was moved aside a third run may have created its own. If there are two holders, each finds the other here. Removes what
 * dead runs left.
 */
async function refuseOthers(folder: string, own: string): Promise<void> {
	for (const name of readdirSync(folder)) {
		const path = `${folder}/${name}`
		if (name === 'lock' || path === own) continue
		const holder = await ask(path)
		if (holder === undefined) rmSync(path, { recursive: true, force: true })
		else if (holder !== '') throw locked(holder)
	}
}

function locked(holder: string) {
	return failure('LOCKED', `another run is in progress on this host${holder === '' ? '' : `: ${holder}`}`)
}

/** The last run that ends removes the folder, possibly at this moment. */
async function listenIn(folder: string, own: string, words: () => string): Promise<Server> {
	for (let chance = 1; ; chance++) {
		mkdirSync(folder, { recursive: true })
		unless(['ENOENT'], () => chmodSync(folder, 0o700))
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
			socket.on('error', () => {}) // The client is gone.
			socket.end(words())
		})
		server.once('error', reject)
		server.listen(path, () => resolve(server.unref()))
	})
}

/** How long a live process may take to identify itself (milliseconds), and how much it may send (characters). */
const PATIENCE = 1_000
const MOST = 200

/** @returns what the process that listens there sends, empty if it holds nothing or is slow; undefined if no process listens */
function ask(path: string): Promise<string | undefined> {
	return new Promise(resolve => {
		let said = ''
		const socket = connect({ path }).setEncoding('utf8')
		const end = (answer: string | undefined) => {
			clearTimeout(patience)
			socket.destroy()
			resolve(answer?.slice(0, MOST))
		}
		const patience = setTimeout(() => end(said), PATIENCE)
		socket.on('data', chunk => {
			said += chunk
			if (said.length > MOST) end(said)
		})
		socket.once('end', () => end(said))
		socket.once('error', error => end(['ECONNREFUSED', 'ENOENT'].includes(codeOf(error)) ? undefined : said))
	})
}

/** Also false if another run considered `from` dead just before it listened. */
function tryLink(from: string, to: string): boolean {
	return unless(['EEXIST', 'ENOENT'], () => linkSync(from, to))
}

function tryRename(from: string, to: string): boolean {
	return unless(['ENOENT'], () => renameSync(from, to))
}

function unless(codes: readonly string[], act: () => void): boolean {
	try {
		act()
		return true
	} catch (error) {
		if (codes.includes(codeOf(error))) return false
		throw error
	}
}
