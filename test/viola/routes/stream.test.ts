import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { readEvents } from '../../../runtime/event-stream.ts'
import { createHttpClient } from '../../../runtime/http-client.ts'
import { manualTime } from '../../runtime/manual-time.ts'
import { replicaOf } from '../read/replica.ts'
import { contentOf, get, isSynced, reader, serve, stalled, workers } from './reading.ts'

describe('the stream', () => {
	test('has the headers that keep proxies from buffering and storing it', async () => {
		const { url, streams } = await serve(replicaOf([], 10))
		const response = await fetch(url, { headers: { accept: 'text/html, text/event-stream;q=0.9' } })
		expect(Object.fromEntries(response.headers)).toMatchObject({
			'content-type': 'text/event-stream',
			'x-accel-buffering': 'no',
			'cache-control': 'no-store',
			vary: 'accept, authorization, x-provider-id',
		})
		await response.body?.cancel()
		await expect.poll(streams.count).toBe(0)
	})

	test('sends everything, then synced, then changes; after it was cut it continues, at another replica too', async () => {
		const first = replicaOf(['a', 'b'], 10)
		const second = replicaOf(['a', 'b'], 10)
		const [one, other] = [await serve(first), await serve(second)]
		const { read, seen, known } = reader()
		await read(one.url, isSynced)
		for (const replica of [first, second]) replica.set('c', 11)
		await read(one.url, isSynced)
		for (const replica of [first, second]) replica.remove('a', 12)
		await read(other.url, isSynced)
		expect(seen).toEqual(['node-config a', 'node-config b', 'synced', 'node-config c', 'synced', 'deleted a', 'synced'])
		expect(Object.fromEntries(known)).toEqual(contentOf(second))
	})

	test('of a replica that started later begins with reset, and the reader drops what is not repeated', async () => {
		const { read, seen, known } = reader()
		await read((await serve(replicaOf(['a', 'b'], 10))).url, isSynced)
		const later = replicaOf(['b', 'c'], 20)
		await read((await serve(later)).url, isSynced)
		expect(seen.slice(3)).toEqual(['reset', 'node-config b', 'node-config c', 'synced'])
		expect(Object.fromEntries(known)).toEqual(contentOf(later))
	})

	test('sends a heartbeat every 15 s, and ends when the client may no longer read', async () => {
		let mayRead = true
		const mayContinue = async () => {
			if (mayRead) throw new Error('the API server does not answer')
			return false
		}
		const { url, time } = await serve(replicaOf([], 10), { mayContinue })
		const socket = await stalled(url, 'text/event-stream')
		let text = ''
		socket.setEncoding('utf8').on('data', chunk => {
			text += String(chunk)
		})
		socket.resume()
		await expect.poll(() => text).toContain('event: synced')
		const beats = () => text.split(': \n\n').length - 1
		for (const count of [1, 2]) {
			time.pass(14_999)
			expect(beats()).toBe(count - 1)
			time.pass(1)
			await expect.poll(beats).toBe(count)
		}
		mayRead = false
		time.pass(15_000)
		await expect.poll(() => text.endsWith('0\r\n\r\n')).toBe(true)
		expect(time.waiting()).toBe(0)
	})

	test('is limited to some nodes by nodeName, and has no pages', async () => {
		const replica = replicaOf(['a', 'b'], 10)
		const { url } = await serve(replica)
		const { read, seen } = reader()
		const done = read(`${url}?nodeName=b&nodeName=c`, all => all.length === 3)
		await expect.poll(() => seen).toEqual(['node-config b', 'synced'])
		replica.set('a', 11)
		replica.set('c', 12)
		await done
		expect(seen.at(-1)).toBe('node-config c')
		const { status } = await get(`${url}?limit=1`, { accept: 'text/event-stream' })
		expect(status).toBe(400)
	})

	test('of 58 MiB is received whole, whatever changes in the meantime', async () => {
		const names = workers(10_000)
		const replica = replicaOf(names, 10, { filler: 6_000 })
		const { url } = await serve(replica)
		const { read, seen, known } = reader()
		let version = 10
		const changeSome = () => {
			if (seen.length % 100 === 0 && seen.length < 10_000) replica.set(names[(seen.length * 37) % 10_000] ?? '', ++version, 6_000)
			if (isSynced(seen)) replica.set('last', ++version) // after all others
		}
		await read(url, () => {
			changeSome()
			return known.has('last')
		})
		expect(seen.indexOf('synced')).toBe(10_000)
		expect(Object.fromEntries(known)).toEqual(contentOf(replica))
	})

	test('of a reader that lags by more than 1 MiB is closed, and nothing of it stays in memory', async () => {
		const replica = replicaOf(['a'], 10)
		const { url, streams, time } = await serve(replica)
		const healthy = reader()
		const following = healthy.read(url, all => all.at(-1) === 'node-config end')
		const socket = await stalled(url, 'text/event-stream')
		await expect.poll(streams.count).toBe(2)
		let version = 10
		while (streams.count() === 2) {
			for (let n = 0; n < 20; n++) replica.set(`n-${++version % 500}`, version, 60_000)
			await new Promise(resolve => setImmediate(resolve))
			expect(version).toBeLessThan(20_000)
		}
		await once(socket.resume(), 'close')
		replica.set('end', ++version)
		await following
		await expect.poll(streams.count).toBe(0)
		expect([time.waiting(), Object.fromEntries(healthy.known)]).toEqual([0, contentOf(replica)])
	})

	test('of a reader that stalls during the first content is closed', async () => {
		const { url, streams, connections } = await serve(replicaOf(workers(5_000), 10, { filler: 6_000 }), { stallMs: 50 })
		await stalled(url, 'text/event-stream')
		await expect.poll(streams.count).toBe(1)
		await expect.poll(streams.count).toBe(0)
		await expect.poll(connections).toBe(0)
	})

	test('ends when the cluster is replaced, and when the server stops, even if its reader takes no data', async () => {
		const { url, replace, streams, stop, time } = await serve(replicaOf(workers(2_000), 10, { filler: 6_000 }))
		const { read, seen } = reader()
		const replaced = read(url, () => false)
		await expect.poll(() => seen.at(-1)).toBe('synced')
		replace()
		await replaced
		await stalled(url, 'text/event-stream')
		await expect.poll(streams.count).toBe(1)
		await stop()
		expect([streams.count(), time.waiting()]).toEqual([0, 0])
	})

	test('is refused with 503 above the limit of a client or of all clients, and possible again after one is closed', async () => {
		const { url, streams } = await serve(replicaOf([], 10), { limits: { perClient: 2, total: 3 } })
		const open = async (client: string) => {
			const response = await fetch(url, { headers: { accept: 'text/event-stream', 'x-client': client } })
			if (response.status !== 200) expect([response.headers.get('retry-after'), await response.text()]).toEqual(['10', expect.any(String)])
			return response
		}
		const first = await open('a')
		await open('a')
		expect([(await open('a')).status, (await open('b')).status, (await open('b')).status]).toEqual([503, 200, 503])
		await first.body?.cancel()
		await expect.poll(streams.count).toBe(2)
		expect((await open('b')).status).toBe(200)
	})
})

/** A proxy that passes data on, and from the server to the client only what `pass` returns. */
async function proxy(target: string, pass: (chunk: Buffer, client: Socket) => void): Promise<{ url: string }> {
	const { port, pathname } = new URL(target)
	const server = createServer(client => {
		const upstream = connect(Number(port), '127.0.0.1')
		client.pipe(upstream)
		upstream.on('data', chunk => pass(chunk, client))
		for (const socket of [client, upstream]) socket.on('error', () => {})
		client.on('close', () => upstream.destroy())
		upstream.on('close', () => client.destroy())
	})
	await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
	onTestFinished(() => void server.close())
	return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${pathname}` }
}

describe('behind a proxy', () => {
	test('that cuts the connection at any byte, a reader that reconnects has exactly what is held', async () => {
		const replica = replicaOf(workers(20), 10)
		const { url } = await serve(replica)
		let budget = 0
		const cutting = await proxy(url, (chunk, client) => {
			client.write(chunk.subarray(0, budget))
			budget -= chunk.length
			if (budget <= 0) client.destroy()
		})
		const { read, known, seen } = reader()
		let version = 10
		for (let cut = 100; cut < 4_000; cut += 97) {
			budget = cut
			await read(cutting.url, isSynced).catch(() => {})
			replica.set(workers(30)[cut % 30] ?? '', ++version)
			if (cut % 3 === 0) replica.remove(workers(30)[(cut * 7) % 30] ?? '', ++version)
		}
		await read(url, isSynced)
		expect(Object.fromEntries(known)).toEqual(contentOf(replica))
		expect(seen).toContain('synced')
	})

	test('that buffers everything, the reader times out and can list instead', async () => {
		const { url, streams } = await serve(replicaOf(['a'], 10))
		const held: Buffer[] = []
		const buffering = await proxy(url, chunk => void held.push(chunk))
		const time = manualTime()
		const http = createHttpClient()
		onTestFinished(() => http.close())
		const events = readEvents(http.stream({ url: buffering.url, setTimer: time.setTimer }))
		const first = events.next()
		await expect.poll(() => Buffer.concat(held).toString()).toContain('event: synced')
		time.pass(45_000)
		await expect(first).rejects.toMatchObject({ code: 'TIMED_OUT', retry: true })
		await expect.poll(streams.count).toBe(0)
	})
})
