import { connect } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { createHttpServer, listen } from '../../runtime/http-server.ts'
import { createLog } from '../../runtime/log.ts'

const MIB = 1 << 20

/** A server with large responses, and a client that does not read until `read`. */
async function start({ stallMs }: { stallMs?: number } = {}) {
	const begun: string[] = []
	const app = createHttpServer({ log: createLog('test', { level: 'silent' }), ...(stallMs && { stallMs }) })
	app.get('/large/:name', async ({ params }) => {
		begun.push((params as { name: string }).name)
		return 'x'.repeat(32 * MIB)
	})
	const end = new AbortController()
	const { address, closed } = await listen(app, { host: '127.0.0.1', port: 0 }, end.signal)
	const socket = connect(Number(new URL(address).port), '127.0.0.1').on('error', () => {})
	onTestFinished(async () => {
		socket.destroy()
		end.abort()
		await closed
	})
	socket.pause()
	const ask = (...names: string[]) => socket.write(names.map(name => `GET /large/${name} HTTP/1.1\r\nHost: x\r\n\r\n`).join(''))
	const connections = () => new Promise(resolve => app.server.getConnections((_, count) => resolve(count)))
	return { begun, address, socket, ask, connections }
}

test('a reader that takes no data is disconnected', async () => {
	const { ask, begun, connections } = await start({ stallMs: 50 })
	ask('a')
	await expect.poll(() => begun).toEqual(['a'])
	await expect.poll(connections).toBe(0)
})

test('a reader that takes no data, and sends a part of another request, is disconnected', async () => {
	const { ask, begun, socket, connections } = await start({ stallMs: 500 })
	ask('a')
	await expect.poll(() => begun).toEqual(['a'])
	socket.write('GET / HTTP/1.1\r\nX-Long: ')
	const trickle = setInterval(() => socket.write('x'), 20)
	onTestFinished(() => clearInterval(trickle))
	await expect.poll(connections, { timeout: 20_000 }).toBe(0)
}, 30_000)

test('requests that are sent before the previous response is taken wait for it', async () => {
	const { ask, begun, socket, address } = await start()
	ask('a', 'b', 'c')
	await expect.poll(() => begun).toContain('a')
	await fetch(`${address}/nothing`)
	expect(begun).toEqual(['a'])
	socket.resume()
	await expect.poll(() => begun).toEqual(['a', 'b', 'c'])
})
