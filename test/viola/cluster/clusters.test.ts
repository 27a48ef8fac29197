import { expect, test } from 'vitest'
import { createLog } from '../../../runtime/log.ts'
import { createClusters } from '../../../viola/cluster/clusters.ts'
import type { Target } from '../../../viola/targets/target.ts'
import { manualTime } from '../../runtime/manual-time.ts'
import { target } from '../targets/targets.ts'
import { type PlayedCluster, playedCluster, settled } from './opened.ts'

/** Opens the clusters that `next` has, in this order; an error is an attempt that fails. */
function start(...next: (PlayedCluster | Error | Promise<PlayedCluster>)[]) {
	const time = manualTime()
	const warnings: string[] = []
	const log = createLog('viola', { level: 'warn', to: { write: line => void warnings.push(JSON.parse(line).err.message) } })
	const open = async () => {
		const cluster = next.shift()
		if (cluster === undefined) throw new Error('bug: opened too often')
		if (cluster instanceof Error) throw cluster
		return cluster
	}
	const clusters = createClusters<PlayedCluster>({ open, log, setTimer: time.setTimer })
	const set = async (providerId = 'biz', more: Partial<Target> = {}) => {
		clusters.apply({ type: 'changed', target: target(providerId, more) })
		await settled()
	}
	const borrow = async (providerId = 'biz', onReplaced = () => {}) => {
		const request = new AbortController()
		const cluster = await clusters.borrow(providerId, { ended: request.signal, onReplaced })
		return { cluster, end: () => request.abort() }
	}
	return { clusters, set, used: async () => nameOf(await borrow()), borrow, time, warnings }
}

/** Returns the name of the cluster of a request, which then ends. */
function nameOf({ cluster, end }: { cluster: PlayedCluster; end: () => void }): string {
	end()
	return cluster.name
}

test('a cluster is opened once, when its target is added', async () => {
	const { set, used } = start(playedCluster('a'))
	await set()
	expect([await used(), await used()]).toEqual(['a', 'a'])
})

test('a request waits while its cluster is being opened', async () => {
	const { promise, resolve } = Promise.withResolvers<PlayedCluster>()
	const { set, used } = start(promise)
	await set()
	const request = used()
	resolve(playedCluster('a'))
	expect(await request).toBe('a')
})

test('new credentials replace the old ones when their connection is ready', async () => {
	const [a, b] = [playedCluster('a'), playedCluster('b')]
	const { set, used } = start(a, b)
	await set()
	await set()
	expect(await used()).toBe('a')
	b.becomeReady()
	await settled()
	expect([await used(), a.isClosed(), b.isClosed()]).toEqual(['b', true, false])
})

test('a running request keeps its cluster open, and the replacement is reported to it', async () => {
	const [a, b] = [playedCluster('a'), playedCluster('b')]
	const { set, borrow } = start(a, b)
	await set()
	let isReplaced = false
	const request = await borrow('biz', () => {
		isReplaced = true
	})
	b.becomeReady()
	await set()
	expect([isReplaced, a.isClosed()]).toEqual([true, false])
	request.end()
	expect(a.isClosed()).toBe(true)
})

test('a request whose client disconnects before its cluster is open does not keep the cluster open', async () => {
	const a = playedCluster('a')
	const { clusters, set } = start(a)
	await set()
	expect(await clusters.borrow('biz', { ended: AbortSignal.abort() })).toBe(a)
	clusters.apply({ type: 'removed', target: target('biz') })
	expect([a.isClosed(), clusters.all()]).toEqual([true, []])
})

test.each<[sentence: string, server: string, more: Partial<Target>]>([
	['another namespace', 'https://biz', { place: 'other' }],
	['another server in the same kubeconfig', 'https://other', {}],
])('a change to %s takes effect before the connection is ready', async (_, server, more) => {
	const [a, b] = [playedCluster('a'), playedCluster('b', server)]
	const { set, used } = start(a, b)
	await set()
	await set('biz', more)
	expect([await used(), a.isClosed()]).toEqual(['b', true])
})

test('while a new cluster or namespace cannot be opened, nothing is written to the previous one', async () => {
	const a = playedCluster('a')
	const { set, used } = start(a, new Error('no such file'))
	await set()
	await set('biz', { place: 'other' })
	await expect(used()).rejects.toMatchObject({ code: 'CLUSTER_UNREACHABLE', message: 'the cluster of provider biz: no such file' })
	expect(a.isClosed()).toBe(true)
})

test('credentials that cannot be used leave the old ones in use, and are tried again after 5 s', async () => {
	const b = playedCluster('b')
	b.becomeReady()
	const { set, used, time, warnings } = start(playedCluster('a'), new Error('bad'), new Error('bad'), b)
	await set()
	await set()
	expect([await used(), warnings]).toEqual(['a', ['bad']])
	for (const ms of [5_000, 5_000]) {
		time.pass(ms)
		await settled()
	}
	expect([await used(), warnings, time.waiting()]).toEqual(['b', ['bad'], 0])
})

test('a target that cannot be opened affects only its own provider, and is answered without another attempt', async () => {
	const { set, used, borrow } = start(new Error('bad'), playedCluster('b'))
	await set('broken')
	await set('biz')
	for (const _ of [1, 2]) await expect(borrow('broken')).rejects.toThrow('the cluster of provider broken: bad')
	expect(await used()).toBe('b')
})

test('a connection that is superseded before it is ready is closed', async () => {
	const [a, b, c] = [playedCluster('a'), playedCluster('b'), playedCluster('c')]
	const { set, used } = start(a, b, c)
	await set()
	await set()
	c.becomeReady()
	await set()
	expect([await used(), a.isClosed(), b.isClosed(), c.isClosed()]).toEqual(['c', true, true, false])
})

test('a connection that is opened after its target was removed is closed', async () => {
	const { promise, resolve } = Promise.withResolvers<PlayedCluster>()
	const a = playedCluster('a')
	const { clusters, set, used } = start(promise)
	await set()
	const request = used()
	clusters.apply({ type: 'removed', target: target('biz') })
	resolve(a)
	await expect(request).rejects.toThrow('the cluster of provider biz: it was removed')
	await expect(used()).rejects.toThrow('it was removed')
	expect(a.isClosed()).toBe(true)
})

test('at the end all clusters are closed, including those in use and those that are not ready', async () => {
	const [a, b] = [playedCluster('a'), playedCluster('b')]
	const { clusters, set, borrow } = start(a, b)
	await set()
	await borrow()
	await set()
	await clusters.close()
	expect([a.isClosed(), b.isClosed()]).toEqual([true, true])
})
