import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { KubeClient } from '../../../runtime/kube/client.ts'
import { type ElectionOptions, leadWhileElected } from '../../../runtime/kube/leader-election.ts'
import { elapsed } from '../../../runtime/kube/lease-spec.ts'
import { createLog } from '../../../runtime/log.ts'
import { runLoop } from '../../../runtime/loop.ts'
import { createQueue } from '../../../runtime/queue.ts'

type Record = { metadata: { resourceVersion: string }; spec: { holderIdentity: string } }

/** Starts a server that behaves like an API server with one Lease, or like a faulty one. */
async function leaseServer() {
	let current: Record | undefined
	let version = 0
	const state = { requests: [] as string[], isSilent: false }
	const store = (lease: Record) => {
		current = { ...lease, metadata: { ...lease.metadata, resourceVersion: String(++version) } }
		return current
	}
	const answers: { [method: string]: (lease: Record) => [number, unknown] } = {
		GET: () => (current ? [200, current] : [404, { reason: 'NotFound' }]),
		POST: lease => (current ? [409, { reason: 'AlreadyExists' }] : [201, store(lease)]),
		PUT: lease =>
			lease.metadata.resourceVersion === current?.metadata.resourceVersion ? [200, store(lease)] : [409, { reason: 'Conflict' }],
	}
	const server = createServer(async (request: IncomingMessage, response: ServerResponse) => {
		state.requests.push(String(request.method))
		const chunks: Buffer[] = []
		for await (const chunk of request) chunks.push(chunk)
		if (state.isSilent) return
		const lease = JSON.parse(Buffer.concat(chunks).toString() || 'null')
		const [status, body] = answers[String(request.method)]?.(lease) ?? [405, {}]
		response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
	})
	await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
	const { port } = server.address() as AddressInfo
	const client = new KubeClient({ server: `http://127.0.0.1:${port}`, tls: {}, headers: async () => ({}) }, { fieldManager: 'test' })
	onTestFinished(async () => {
		await client.close()
		server.closeAllConnections()
		server.close()
	})
	const write = (change: object) => current && store({ ...current, spec: { ...current.spec, ...change } })
	const drop = () => {
		current = undefined
	}
	return { client, state, write, drop, holder: () => current?.spec.holderIdentity }
}

/** Starts a leader whose clocks advance only on request; its timers are real. */
async function leader(times: ElectionOptions['times'], isBusy = false) {
	const api = await leaseServer()
	const clock = { monotonic: 1_000, wall: 1_000_000 }
	const end = new AbortController()
	const told: (boolean | string)[] = []
	let isLeading = () => false
	let term: AbortSignal | undefined
	const work = Promise.withResolvers<void>()
	const ended = leadWhileElected(
		{
			client: api.client,
			at: { namespace: 'n', name: 'lead' },
			identity: 'me',
			log: createLog('test', { level: 'silent' }),
			signal: end.signal,
			onChange: leads => told.push(leads),
			onSlowPath: () => told.push('slow'),
			times: times ?? { leaseMs: 15_000, renewMs: 10_000, retryMs: 10 },
			now: () => ({ ...clock }),
		},
		async (signal, asks) => {
			isLeading = asks
			term = signal
			await new Promise(resolve => signal.addEventListener('abort', resolve))
			await work.promise
		},
	)
	onTestFinished(() => {
		end.abort()
		work.resolve()
	})
	await expect.poll(() => told[0]).toBe(true)
	const sleepThrough = (ms: { monotonic?: number; wall?: number }) => {
		clock.monotonic += ms.monotonic ?? 0
		clock.wall += ms.wall ?? 0
	}
	if (!isBusy) work.resolve()
	return {
		...api,
		told,
		ended,
		stop: () => end.abort(),
		finish: work.resolve,
		isLeading: () => isLeading(),
		term: () => term,
		sleepThrough,
	}
}

const unhurried = { leaseMs: 15_000, renewMs: 10_000, retryMs: 60_000 }

test.each<[title: string, ms: { monotonic?: number; wall?: number }, leads: boolean]>([
	['leads just before the renew deadline', { monotonic: 9_999, wall: 9_999 }, true],
	['does not lead after the renew deadline', { monotonic: 10_000, wall: 10_000 }, false],
	['does not lead after the machine was suspended, which only the wall clock shows', { monotonic: 5, wall: 3_600_000 }, false],
	['does not lead after the renew deadline, even if the wall clock was set back', { monotonic: 10_000, wall: -3_600_000 }, false],
	['leads if only the wall clock was set back', { monotonic: 5, wall: -3_600_000 }, true],
])('a leader, by its clocks and not by its timers, %s', async (_, ms, leads) => {
	const { isLeading, sleepThrough, term, stop, ended, holder } = await leader(unhurried)
	expect(isLeading()).toBe(true)
	sleepThrough(ms)
	expect([isLeading(), term()?.aborted]).toEqual([leads, false])
	stop()
	expect([await ended, isLeading(), holder()]).toEqual([{ lost: false }, false, ''])
})

test('a leader that was suspended too long writes nothing before it has renewed its lease, which shows that there was no other leader in the meantime', async () => {
	const { sleepThrough, isLeading, client, state, told } = await leader({ leaseMs: 15_000, renewMs: 10_000, retryMs: 50 })
	const guarded = client.guarded(isLeading)
	await expect.poll(() => state.requests.filter(method => method === 'PUT').length).toBeGreaterThan(0)
	sleepThrough({ monotonic: 12_000, wall: 12_000 })
	await expect(guarded.raw({ method: 'POST', path: '/x' })).rejects.toMatchObject({ code: 'STOPPED', retry: true })
	await expect.poll(isLeading).toBe(true)
	await expect(guarded.raw({ method: 'POST', path: '/x' })).rejects.not.toMatchObject({ code: 'STOPPED' })
	expect(told).toEqual([true])
})

test.each<[title: string, holderIdentity: string]>([
	['another one acquired the lease', 'other'],
	['another one acquired and released the lease', ''],
])('a leader that was suspended while %s is no longer the leader, and writes nothing', async (_, holderIdentity) => {
	const { sleepThrough, isLeading, ended, write, holder, told, client } = await leader(undefined)
	sleepThrough({ monotonic: 20_000, wall: 20_000 })
	write({ holderIdentity })
	await expect(client.guarded(isLeading).raw({ method: 'POST', path: '/x' })).rejects.toMatchObject({ code: 'STOPPED' })
	expect(await ended).toEqual({ lost: true })
	expect([isLeading(), holder(), told.at(-1)]).toEqual([false, holderIdentity, false])
})

test('a leader that was suspended and cannot reach the API server loses its lease', async () => {
	const { sleepThrough, isLeading, ended, state } = await leader({ leaseMs: 3_000, renewMs: 2_000, retryMs: 20 })
	state.isSilent = true
	sleepThrough({ monotonic: 3_000, wall: 3_000 })
	expect(isLeading()).toBe(false)
	expect(await ended).toEqual({ lost: true })
})

test('no reconcile is started if another leader took over while the event loop was blocked, even before a timer fires', async () => {
	const api = await leaseServer()
	const queue = createQueue()
	const begun: string[] = []
	const log = createLog('test', { level: 'silent' })
	const times = { leaseMs: 1_500, renewMs: 1_000, retryMs: 20 }
	const at = { namespace: 'n', name: 'lead' }
	const never = new AbortController()
	const reconcile = async (key: string) => void begun.push(key)
	const ended = leadWhileElected({ client: api.client, at, identity: 'me', log, signal: never.signal, times }, (signal, isLeading) =>
		runLoop({ queue, reconcile, log, signal, mayBegin: isLeading }),
	)
	queue.add('in time')
	await expect.poll(() => begun).toEqual(['in time'])
	for (const until = performance.now() + 1_200; performance.now() < until; );
	api.write({ holderIdentity: 'other' })
	queue.add('late')
	expect(await ended).toEqual({ lost: true })
	expect(begun).toEqual(['in time'])
})

test('a lease is renewed with one request, and kept while it is renewed', async () => {
	const { sleepThrough, state, isLeading, told, stop, ended } = await leader(undefined)
	for (let n = 0; n < 5; n++) {
		const { length } = state.requests
		// one request may have been sent before the last sleep, and another is sent after its response has been read
		await expect.poll(() => state.requests.length).toBeGreaterThan(length + 2)
		sleepThrough({ monotonic: 6_000, wall: 6_000 })
		expect(isLeading()).toBe(true)
	}
	expect(state.requests.slice(0, 2)).toEqual(['GET', 'POST'])
	expect(new Set(state.requests.slice(2))).toEqual(new Set(['PUT']))
	stop()
	await ended
	expect(told).toEqual([true, false])
})

test('a leader that is stopped releases its lease only after its work has ended', async () => {
	const { stop, finish, ended, isLeading, term, state, holder, told } = await leader(undefined, true)
	stop()
	const { length } = state.requests
	await expect.poll(() => state.requests.length).toBeGreaterThan(length + 2)
	expect([term()?.aborted, isLeading(), holder(), told]).toEqual([true, true, 'me', [true]])
	finish()
	expect([await ended, isLeading(), holder(), told]).toEqual([{ lost: false }, false, '', [true, false]])
})

test('a Lease that another client changed is read again, and leadership is kept', async () => {
	const { write, told, isLeading, holder } = await leader(undefined)
	write({ renewTime: 'by somebody' })
	await expect.poll(() => told).toEqual([true, 'slow'])
	expect([isLeading(), holder()]).toEqual([true, 'me'])
})

test('a Lease that another client deleted is created again', async () => {
	const { drop, told, isLeading, holder } = await leader(undefined)
	drop()
	await expect.poll(() => [told, holder()]).toEqual([[true, 'slow'], 'me'])
	expect(isLeading()).toBe(true)
})

test('a lease that another holder has acquired is lost, and the Lease is not changed', async () => {
	const { write, ended, isLeading, term, holder } = await leader(undefined)
	write({ holderIdentity: 'thief' })
	expect(await ended).toEqual({ lost: true })
	expect([isLeading(), term()?.reason, holder()]).toEqual([false, expect.objectContaining({ code: 'LEASE_LOST' }), 'thief'])
})

test('the lease is lost at the renew deadline if the server stops responding', async () => {
	const { state, ended, told } = await leader({ leaseMs: 300, renewMs: 100, retryMs: 10 })
	state.isSilent = true
	expect(await ended).toEqual({ lost: true })
	expect(told).toEqual([true, false])
})

test('a guarded client that may no longer write still reads, but starts no write and no retry of a write', async () => {
	const { client, state } = await leaseServer()
	let may = true
	const guarded = client.guarded(() => may)
	state.isSilent = false
	expect(await guarded.find({ group: '', version: 'v1', plural: 'x', kind: 'X', namespaced: false }, { name: 'x' })).toBeUndefined()
	may = false
	for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'] as const) {
		await expect(guarded.raw({ method, path: '/x' })).rejects.toMatchObject({ code: 'STOPPED' })
	}
	expect(state.requests).toEqual(['GET'])
	await expect(guarded.raw({ method: 'GET', path: '/x' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
	expect(client.requests()).toEqual(guarded.requests())
})

test('the elapsed time is that of the clock that advanced more', () => {
	expect(elapsed({ monotonic: 0, wall: 0 }, { monotonic: 5, wall: 3 })).toBe(5)
	expect(elapsed({ monotonic: 0, wall: 0 }, { monotonic: 5, wall: 8 })).toBe(8)
})
