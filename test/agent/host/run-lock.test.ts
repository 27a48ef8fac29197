import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { acquireLock } from '../../../agent/host/run-lock.ts'
import { LOCK_FOLDER } from '../../../agent/model/paths.ts'

/** A process that queries the holder of a lock waits for a limited time, regardless of what the holder sends. */
let root: string
let server: Server

beforeEach(() => {
	root = mkdtempSync(join(tmpdir(), 'lock-'))
})
afterEach(() => {
	server.close()
	rmSync(root, { recursive: true })
})

test.each<[title: string, talk: (socket: Socket) => void, said: RegExp]>([
	['sends nothing', () => {}, /^another run is in progress on this host$/],
	[
		'sends its run and keeps the connection open',
		socket => socket.write('generation 7'),
		/^another run is in progress on this host: generation 7$/,
	],
	[
		'sends one character at a time without end',
		socket => void setInterval(() => socket.write('a'), 20).unref(),
		/in progress on this host: a{1,200}$/,
	],
	['sends more than is read', socket => socket.write('a'.repeat(1 << 20)), /in progress on this host: a{200}$/],
])('a lock holder that %s still has the lock, and another run fails after a limited time', async (_, talk, said) => {
	const path = join(root, LOCK_FOLDER, 'lock')
	mkdirSync(dirname(path), { recursive: true })
	server = createServer(socket => talk(socket.on('error', () => {})))
	await new Promise<void>(resolve => server.listen(path, resolve))
	await expect(acquireLock(root, { generation: 1, attempt: 1 })).rejects.toThrow(said)
})
