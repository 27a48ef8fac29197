import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { KubeClient } from '../../../runtime/kube/client.ts'
import { failureOf } from '../../../runtime/kube/failures.ts'
import type { Stored } from '../../../runtime/kube/kind.ts'
import { ConfigMap } from '../../../runtime/kube/kinds.ts'
import type { Page } from '../../../runtime/kube/list.ts'
import { startReflector } from '../../../runtime/kube/reflector.ts'
import type { WatchEvent, WatchOptions } from '../../../runtime/kube/watch.ts'
import { createLog } from '../../../runtime/log.ts'

/**
 * A change of one object. If the client under test made the change, `answerAfter` is how many more messages of the API server arrive before
 * its response.
 */
const change = fc.record({
	name: fc.constantFrom('a', 'b', 'c'),
	act: fc.constantFrom('set', 'set', 'delete'),
	answerAfter: fc.option(fc.nat({ max: 4 }), { nil: undefined }),
})
type ChangeMade = typeof change extends fc.Arbitrary<infer Value> ? Value : never

/** What happens in the cluster during one request, and how the response fails. */
const turn = fc.record({
	changes: fc.array(change, { maxLength: 6 }),
	/** Number of changes that happen before the response begins. */
	before: fc.nat({ max: 6 }),
	/** Number of events or pages after which the fault occurs. */
	after: fc.nat({ max: 6 }),
	fault: fc.constantFrom('none', 'ends', 'breaks', 'refused', '410', '429', '500', 'bookmark', 'twice'),
})
type Turn = typeof turn extends fc.Arbitrary<infer Value> ? Value : never
type Event = WatchEvent<ConfigMap>

test('after any faults and any order of responses, the store equals the cluster, the reported changes add up to it at every reached version, and no object returns to an older version', async () => {
	const listModes = fc.constantFrom('watchlist', 'paged', 'single')
	const one = fc.asyncProperty(fc.array(turn, { maxLength: 12 }), listModes, fc.nat(), async (turns, listMode, seed) => {
		const cluster = faultyCluster(turns)
		const end = new AbortController()
		const { told, wrong, onChange, onReached } = ledger(cluster.at)
		const { store, done, synced, observeWrite } = startReflector<ConfigMap, string>({
			client: cluster.client,
			kind: ConfigMap,
			listMode,
			pageSize: 1,
			project: ({ metadata }) => String(metadata.resourceVersion),
			onChange,
			onReached,
			log: createLog('test', { level: 'silent' }),
			signal: end.signal,
			chance: () => (seed % 10) / 10,
			backoff: { firstMs: 0.1, maxMs: 0.2 },
		})
		cluster.onAnswer(observeWrite)
		await synced
		await cluster.calm
		const held = Object.fromEntries([...store.keys()].map(key => [key, store.get(key)]))
		expect([held, Object.fromEntries(told), wrong]).toEqual([cluster.objects(), cluster.objects(), []])
		end.abort()
		await done
	})
	await fc.assert(one, { numRuns: 300 })
})

/** Applies the reported changes, and collects the impossible ones. */
function ledger(at: (version: number) => Map<string, string>) {
	const told = new Map<string, string>()
	const latest = new Map<string, number>()
	const wrong: string[] = []
	const onChange = (key: string, now: string | undefined, before: string | undefined) => {
		if (told.get(key) !== before || now === before) wrong.push(`${key}: ${before} to ${now}, told ${told.get(key)}`)
		if (Number(now) < (latest.get(key) ?? 0)) wrong.push(`${key}: ${now} after ${latest.get(key)}`)
		told.delete(key)
		if (now === undefined) return
		told.set(key, now)
		latest.set(key, Number(now))
	}
	const onReached = (version: string) => {
		const isAhead = (name: string) => Number(told.get(name)) > Number(version)
		const then = at(Number(version))
		for (const name of ['a', 'b', 'c'])
			if (told.get(name) !== then.get(name) && !isAhead(name))
				wrong.push(`${name} is ${told.get(name)} at ${version}, not ${then.get(name)}`)
	}
	return { told, wrong, onChange, onReached }
}

/** A cluster of at most three objects. It handles each request as the next entry specifies, and works normally after the last entry. */
function faultyCluster(turns: readonly Turn[]) {
	const left = [...turns]
	const live = new Map<string, string>()
	const history: Event[] = []
	let version = 1
	const { promise: calm, resolve } = Promise.withResolvers<void>()
	const hearers: ((object: Stored<ConfigMap>) => void)[] = []
	let answers: { after: number; object: Stored<ConfigMap> }[] = []
	/** Lets the API server send more messages, and delivers the responses that are due by then. */
	const word = (words = 1) => {
		const due = answers.filter(({ after }) => after < words)
		answers = answers.filter(({ after }) => after >= words).map(({ after, object }) => ({ after: after - words, object }))
		for (const hear of hearers) for (const { object } of due) hear(object)
	}
	const change = ({ name, act, answerAfter }: ChangeMade) => {
		if (act === 'delete') return remove(name)
		const now = object(name, String(++version))
		history.push({ type: live.has(name) ? 'MODIFIED' : 'ADDED', object: now })
		live.set(name, String(version))
		if (answerAfter !== undefined) answers.push({ after: answerAfter, object: now })
	}
	const remove = (name: string) => {
		if (live.delete(name)) history.push({ type: 'DELETED', object: object(name, String(++version)) })
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
			word()
			yield { items: [item], resourceVersion }
		}
		strike(fault, items.length <= after)
		yield { items: [], resourceVersion }
	}
	/** Returns the events that one watch must report. The remaining changes of its entry happen while the watch starts. */
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
			word()
			yield event
		}
		strike(turn.fault, events.length <= turn.after)
		if (left.length > 0) return
		word(Number.POSITIVE_INFINITY)
		resolve()
		await new Promise(end => signal.addEventListener('abort', end))
	}
	/** Returns the objects as they were at a version. */
	const at = (then: number) => {
		const objects = new Map<string, string>()
		for (const { type, object } of history) {
			const { name = '', resourceVersion } = object.metadata as { name?: string; resourceVersion: string }
			if (Number(resourceVersion) > then) break
			if (type === 'DELETED') objects.delete(name)
			else objects.set(name, resourceVersion)
		}
		return objects
	}
	const client = { pages, watch } as unknown as KubeClient
	return {
		client,
		calm,
		at,
		objects: () => Object.fromEntries(live),
		onAnswer: (hear: (typeof hearers)[number]) => void hearers.push(hear),
	}
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
