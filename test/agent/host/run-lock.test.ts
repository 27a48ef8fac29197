import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { lock } from '../../../agent/host/run-lock.ts'
import { LOCK_FOLDER } from '../../../agent/model/paths.ts'

/** A process that asks a live lock for its holder waits only a limited time, whatever listens there. */
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
	['says nothing', () => {}, /^another run is in progress on this host$/],
	['says who it is and stays', socket => socket.write('generation 7'), /^another run is in progress on this host: generation 7$/],
	[
		'says a word at a time, without end',
		socket => void setInterval(() => socket.write('a'), 20).unref(),
		/in progress on this host: a{1,200}$/,
	],
	['says more than anybody reads', socket => socket.write('a'.repeat(1 << 20)), /in progress on this host: a{200}$/],
])('a holder that %s keeps the lock without blocking another run', async (_, talk, said) => {
	const path = join(root, LOCK_FOLDER, 'lock')
	mkdirSync(dirname(path), { recursive: true })
	server = createServer(socket => talk(socket.on('error', () => {})))
	await new Promise<void>(resolve => server.listen(path, resolve))
	await expect(lock(root, { generation: 1, attempt: 1 })).rejects.toThrow(said)
})
