import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { Agent, get, request } from 'node:https'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { connect as connectTls } from 'node:tls'
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import * as z from 'zod'
import { readEnv } from '../../runtime/env.ts'
import { createHttpServer, type HttpServerOptions, listen } from '../../runtime/http-server.ts'
import { TlsDirectory } from '../../runtime/http-socket.ts'
import { createLog } from '../../runtime/log.ts'

/** The server over real sockets: a certificate that is renewed, clients that send slowly, and too many connections. */

let root: string
let folder: string
let number = 0
beforeAll(() => {
	root = mkdtempSync(join(tmpdir(), 'multinic-tls-'))
	for (const name of ['first', 'second']) certify(name)
})
beforeEach(() => {
	folder = join(root, `server-${number++}`)
	mkdirSync(folder)
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

/** Creates a directory with a certificate for the name. */
function certify(name: string): void {
	mkdirSync(join(root, name))
	const files = ['-keyout', join(root, name, 'tls.key'), '-out', join(root, name, 'tls.crt')]
	const what = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', `/CN=${name}`, '-days', '1']
	execFileSync('openssl', ['req', ...what, ...files], { stdio: 'ignore' })
}

/** Mounts files of two directories as the kubelet does: through the symbolic link `..data`, which is replaced by a rename. */
function mount(crt: string, key = crt): void {
	const version = `..${number++}`
	mkdirSync(join(folder, version))
	symlinkSync(join(root, crt, 'tls.crt'), join(folder, version, 'tls.crt'))
	symlinkSync(join(root, key, 'tls.key'), join(folder, version, 'tls.key'))
	symlinkSync(version, join(folder, '..data_tmp'))
	renameSync(join(folder, '..data_tmp'), join(folder, '..data'))
	for (const name of ['tls.crt', 'tls.key']) {
		rmSync(join(folder, name), { force: true })
		symlinkSync(join('..data', name), join(folder, name))
	}
}

const tlsIn = (path: string) => readEnv(z.object({ TLS_DIR: TlsDirectory }), { TLS_DIR: path }).TLS_DIR

async function start(tls?: HttpServerOptions['tls']) {
	const lines: Record<string, unknown>[] = []
	const app = createHttpServer({ log: createLog('test', { to: { write: line => void lines.push(JSON.parse(line)) } }), tls })
	app.post('/things', ({ body }) => ({ got: body }))
	app.get('/things', () => ({}))
	const end = new AbortController()
	const { address, closed } = await listen(app, { host: '127.0.0.1', port: 0 }, end.signal)
	onTestFinished(async () => {
		app.server.closeAllConnections()
		end.abort()
		await closed
	})
	return { app, address, lines, port: Number(new URL(address).port) }
}

/** Returns the name in the certificate that a new connection is given. */
async function nameAt(port: number): Promise<string | undefined> {
	const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
	await once(socket, 'secureConnect')
	const { CN } = socket.getPeerCertificate().subject
	socket.destroy()
	return String(CN)
}

test('a renewed certificate is used for new connections, and existing connections continue', async () => {
	mount('first')
	const { address, port } = await start(tlsIn(folder))
	expect(address).toMatch(/^https:/)
	const agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false })
	const ask = async () => {
		const sent = get(`${address}/things`, { agent })
		const [response] = await once(sent, 'response')
		await text(response)
		return [response.statusCode, sent.socket?.localPort]
	}
	const before = await ask()
	const open = request(`${address}/things`, {
		method: 'POST',
		agent: false,
		rejectUnauthorized: false,
		headers: { 'content-type': 'application/json', 'content-length': '2' },
	})
	open.write('[')
	await once(open, 'socket')
	mount('second')
	await expect.poll(() => nameAt(port), { timeout: 30_000 }).toBe('second')
	open.end(']')
	const [response] = await once(open, 'response')
	expect([response.statusCode, await text(response)]).toEqual([200, '{"got":[]}'])
	expect(await ask()).toEqual(before)
	agent.destroy()
})

test.each<[sentence: string, damage: () => void, fault: string]>([
	['whose key belongs to another certificate', () => mount('first', 'second'), 'tls.key is not the key of tls.crt'],
	['that is empty', () => writeFileSync(join(root, 'damaged', 'tls.crt'), ''), 'tls.crt is not a certificate in PEM'],
])('a renewed certificate %s is not used, and is warned about without its key', async (_, damage, fault) => {
	rmSync(join(root, 'damaged'), { recursive: true, force: true })
	certify('damaged')
	mount('damaged')
	const { lines, port } = await start(tlsIn(folder))
	damage()
	await expect
		.poll(() => lines, { timeout: 30_000 })
		.toContainEqual(expect.objectContaining({ level: 'warn', fault: expect.stringContaining(fault) }))
	expect(await nameAt(port)).toBe('damaged')
	expect(JSON.stringify(lines)).not.toContain('PRIVATE KEY')
})

test.each<[sentence: string, create: () => void, fault: RegExp]>([
	['an empty directory', () => {}, /^TLS_DIR: ENOENT.*tls\.crt/],
	['a key of another certificate', () => mount('first', 'second'), /^TLS_DIR: .*tls\.key is not the key of tls\.crt$/],
])('at start, %s is a fault of its variable', (_, create, fault) => {
	create()
	expect(() => tlsIn(folder)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(fault) }))
})

async function open(port: number, localAddress = '127.0.0.1'): Promise<Socket> {
	const socket = connect({ port, host: '127.0.0.1', localAddress }).on('error', () => {})
	await Promise.race([once(socket, 'connect'), once(socket, 'close')])
	return socket
}

const invalid: Readonly<Record<string, [sent: string, status: string]>> = {
	nothing: ['', '408'],
	'part of the headers': ['POST /things HTTP/1.1\r\nHost: a\r\n', '408'],
	'part of the body': [`POST /things HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n[`, '408'],
	'what is not HTTP': ['\x16\x03\x01\r\n\r\n', '400'],
	'headers that are too large': [`GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, '431'],
}

test('clients that send no whole request in time, or no valid one, are answered and disconnected', async () => {
	const { port } = await start()
	const answers = Object.entries(invalid).map(async ([what, [sent]]) => {
		const socket = await open(port)
		socket.write(sent)
		const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n')
		expect(JSON.parse(body)).toEqual({ error: { code: 'BAD_REQUEST', message: expect.any(String), requestId: expect.any(String) } })
		return [what, head.slice('HTTP/1.1 '.length, 'HTTP/1.1 '.length + 3)]
	})
	expect(Object.fromEntries(await Promise.all(answers))).toEqual(
		Object.fromEntries(Object.entries(invalid).map(([what, [, status]]) => [what, status])),
	)
})

test('with 10,000 connections that send nothing, the server answers others, and then closes them', async () => {
	const { app, address, port } = await start()
	const sockets: Socket[] = []
	for (let batch = 0; batch < 100; batch++)
		sockets.push(...(await Promise.all(Array.from({ length: 100 }, () => open(port, `127.0.0.${2 + (batch % 10)}`)))))
	const count = () => new Promise<number>(resolve => app.server.getConnections((_, connections) => resolve(connections)))
	expect((await fetch(`${address}/things`)).status).toBe(200)
	await expect.poll(count).toBeLessThanOrEqual(10 * 512 + 1)
	await expect.poll(count).toBeLessThanOrEqual(1)
	for (const socket of sockets) socket.destroy()
})
