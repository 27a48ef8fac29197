import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { KubeClient } from '../../runtime/kube/client.ts'
import { failureOf } from '../../runtime/kube/failures.ts'
import type { Stored } from '../../runtime/kube/kind.ts'
import { ConfigMap } from '../../runtime/kube/kinds.ts'
import type { Page } from '../../runtime/kube/list.ts'
import { startReflector } from '../../runtime/kube/reflector.ts'
import type { WatchEvent, WatchOptions } from '../../runtime/kube/watch.ts'
import { createLog } from '../../runtime/log.ts'

/** What happens in the cluster while one request is answered, and how the answer goes wrong. */
const turn = fc.record({
	changes: fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('set', 'set', 'delete')), { maxLength: 6 }),
	/** How many of the changes come before the answer begins. */
	before: fc.nat({ max: 6 }),
	/** After how many events or pages the fault strikes. */
	after: fc.nat({ max: 6 }),
	fault: fc.constantFrom('none', 'ends', 'breaks', 'refused', '410', '429', '500', 'bookmark', 'twice'),
})
type Turn = typeof turn extends fc.Arbitrary<infer Value> ? Value : never
type Event = WatchEvent<ConfigMap>

test('whatever goes wrong between: the store ends up as the cluster is, and what was told adds up to it', async () => {
	const one = fc.asyncProperty(fc.array(turn, { maxLength: 12 }), fc.boolean(), fc.nat(), async (turns, streaming, seed) => {
		const cluster = faultyCluster(turns)
		const end = new AbortController()
		const told = new Map<string, string>()
		const wrong: string[] = []
		const { store, done, synced } = startReflector<ConfigMap, string>({
			client: cluster.client,
			kind: ConfigMap,
			streaming,
			pageSize: 1,
			project: ({ metadata }) => String(metadata.resourceVersion),
			onChange: (key, now, before) => {
				if (told.get(key) !== before || now === before) wrong.push(`${key}: ${before} to ${now}, told ${told.get(key)}`)
				if (now === undefined) told.delete(key)
				else told.set(key, now)
			},
			log: createLog('test', { level: 'silent' }),
			signal: end.signal,
			chance: () => (seed % 10) / 10,
			backoff: { firstMs: 0.1, maxMs: 0.2 },
		})
		await synced
		await cluster.calm
		const held = Object.fromEntries([...store.keys()].map(key => [key, store.get(key)]))
		expect([held, Object.fromEntries(told), wrong]).toEqual([cluster.objects(), cluster.objects(), []])
		end.abort()
		await done
	})
	await fc.assert(one, { numRuns: 150 })
})

/** A cluster of at most three objects whose every answer goes its turn's way; when all turns are over it is a sound one. */
function faultyCluster(turns: readonly Turn[]) {
	const left = [...turns]
	const live = new Map<string, string>()
	const history: Event[] = []
	let version = 1
	const { promise: calm, resolve } = Promise.withResolvers<void>()
	const change = ([name, act]: [string, string]) => {
		if (act === 'delete' && !live.has(name)) return
		const type = act === 'delete' ? 'DELETED' : live.has(name) ? 'MODIFIED' : 'ADDED'
		history.push({ type, object: object(name, String(++version)) })
		if (act === 'delete') live.delete(name)
		else live.set(name, String(version))
	}
	const begin = (): Turn => {
		const next = left.shift() ?? { changes: [], before: 0, after: 0, fault: 'none' }
		for (const one of next.changes.slice(0, next.before)) change(one)
		return next
	}
	async function* pages(): AsyncGenerator<Page<ConfigMap>, void, void> {
		const { changes, before, after, fault } = begin()
		const [resourceVersion, items] = [String(version), [...live].map(([name, at]) => object(name, at))]
		for (const one of changes.slice(before)) change(one)
		for (const [n, item] of items.entries()) {
			strike(fault, n === after)
			yield { items: [item], resourceVersion }
		}
		strike(fault, items.length <= after)
		yield { items: [], resourceVersion }
	}
	/** The events one watch has to tell; while it begins, the rest of its turn's changes happen. */
	const eventsOf = ({ changes, before, fault }: Turn, from: number | undefined): Event[] => {
		const known = [...live].map(([name, at]) => added(name, at))
		const since = from ?? version
		const first = from === undefined ? [...(fault === 'twice' ? known : []), ...known, mark(version, fault !== 'bookmark')] : []
		for (const one of changes.slice(before)) change(one)
		return [...first, ...history.filter(event => Number(event.object.metadata.resourceVersion) > since)]
	}
	async function* watch(_: unknown, { resourceVersion, signal }: WatchOptions): AsyncGenerator<Event, void, void> {
		const turn = begin()
		const events = eventsOf(turn, resourceVersion === undefined ? undefined : Number(resourceVersion))
		for (const [n, event] of events.entries()) {
			if (turn.fault === 'ends' && n === turn.after) return
			strike(turn.fault, n === turn.after)
			yield event
		}
		strike(turn.fault, events.length <= turn.after)
		if (left.length > 0) return
		resolve()
		await new Promise(end => signal.addEventListener('abort', end))
	}
	return { client: { pages, watch } as unknown as KubeClient, calm, objects: () => Object.fromEntries(live) }
}

function strike(fault: Turn['fault'], isTime: boolean): void {
	if (!isTime) return
	if (fault === 'breaks') throw failureOf('GET /x', 502, '')
	if (fault === 'refused') throw failureOf('GET /x', 422, '')
	if (fault === '410' || fault === '429' || fault === '500') throw failureOf('GET /x', Number(fault), '')
}

function added(name: string, resourceVersion: string): Event {
	return { type: 'ADDED', object: object(name, resourceVersion) }
}

function mark(version: number, ends: boolean): Event {
	const annotations = ends && { annotations: { 'k8s.io/initial-events-end': 'true' } }
	return { type: 'BOOKMARK', object: { metadata: { resourceVersion: String(version), ...annotations } } }
}

function object(name: string, resourceVersion: string): Stored<ConfigMap> {
	const metadata = { name, resourceVersion, uid: name, creationTimestamp: '2026-01-02T03:04:05Z' }
	return { apiVersion: 'v1', kind: 'ConfigMap', metadata }
}
