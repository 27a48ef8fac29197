import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createHeld, type Held } from '../../../viola/held/held.ts'
import type { Entry } from '../../../viola/model/entry.ts'
import { createFeed } from '../../../viola/read/feed.ts'
import { createStreamReader, eventIn } from './stream-reader.ts'

/** A cluster, replicas that follow it with different histories, and a reader that follows the stream of one replica after another. */

const names = ['a', 'b', 'c', 'd'] as const
const nodeName = fc.constantFrom(...names)
const replica = fc.constantFrom(0, 1)
const step = fc.oneof(
	{ weight: 20, arbitrary: fc.record({ do: fc.constant('set' as const), nodeName }) },
	{ weight: 8, arbitrary: fc.record({ do: fc.constant('delete' as const), nodeName }) },
	{ weight: 10, arbitrary: fc.record({ do: fc.constant('write' as const), nodeName, replica }) },
	{ weight: 4, arbitrary: fc.record({ do: fc.constant('erase' as const), nodeName, replica }) },
	{ weight: 20, arbitrary: fc.record({ do: fc.constant('watch' as const), replica, events: fc.integer({ min: 1, max: 4 }) }) },
	{ weight: 4, arbitrary: fc.record({ do: fc.constant('bookmark' as const), replica }) },
	{ weight: 6, arbitrary: fc.record({ do: fc.constant('relist' as const), replica }) },
	{ weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const), replica }) },
	{ weight: 20, arbitrary: fc.record({ do: fc.constant('read' as const), events: fc.integer({ min: 1, max: 5 }) }) },
	{ weight: 15, arbitrary: fc.record({ do: fc.constant('connect' as const), replica }) },
)
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never

/** `entry` is undefined if the node config was deleted. */
type Event = { nodeName: string; version: number; entry?: Entry }
const entryOf = (nodeName: string, version: number, timeline = 0): Entry => ({
	...{ nodeName, generation: 1, resourceVersion: String(version), isDeleting: false, digest: '', owner: undefined },
	view: JSON.stringify({ nodeName, resourceVersion: String(version), timeline }),
})

function createCluster() {
	let version = 10
	let timeline = 0
	let live = new Map<string, Entry>()
	let history: Event[] = []
	return {
		get version() {
			return version
		},
		live: () => live,
		eventsAfter: (at: number) => history.filter(event => event.version > at),
		set(nodeName: string): Entry {
			const entry = entryOf(nodeName, ++version, timeline)
			live.set(nodeName, entry)
			history.push({ nodeName, version, entry })
			return entry
		},
		remove(nodeName: string) {
			if (live.delete(nodeName)) history.push({ nodeName, version: ++version })
		},
		passTime: () => void version++,
		restore(backup: { version: number; live: ReadonlyMap<string, Entry> }) {
			timeline++
			version = backup.version
			live = new Map(backup.live)
			history = []
		},
	}
}
type Cluster = ReturnType<typeof createCluster>

/** A replica, with the guarantees of a reflector. */
function createReplica(cluster: Cluster) {
	const held = createHeld(2)
	const store = new Map<string, Entry>()
	let own = new Map<string, number>()
	let at = 0
	const put = (nodeName: string, now: Entry | undefined) => {
		const before = store.get(nodeName)
		if (now) store.set(nodeName, now)
		else store.delete(nodeName)
		if (now?.view !== before?.view) held.observe(now, before)
	}
	const reach = (version: number, isList = false) => {
		at = version
		held.reach(String(version), isList)
	}
	const list = () => {
		own = new Map()
		for (const nodeName of store.keys()) if (!cluster.live().has(nodeName)) put(nodeName, undefined)
		for (const [nodeName, entry] of cluster.live()) put(nodeName, entry)
		reach(cluster.version, true)
	}
	const watch = (events = Number.POSITIVE_INFINITY) => {
		for (const { nodeName, version, entry } of cluster.eventsAfter(at).slice(0, events)) {
			const isAhead = (own.get(nodeName) ?? 0) > version
			if (!isAhead) put(nodeName, entry)
			reach(version)
		}
	}
	list()
	return {
		held,
		list,
		watch,
		write(nodeName: string) {
			const entry = cluster.set(nodeName)
			own.set(nodeName, Number(entry.resourceVersion))
			put(nodeName, entry)
		},
		bookmark: () => cluster.eventsAfter(at).length === 0 && reach(cluster.version),
	}
}

/** A client of one replica after another. */
function createReader(isWanted: (nodeName: string) => boolean) {
	const reader = createStreamReader(data => data)
	let feed: ReturnType<typeof createFeed> | undefined
	return {
		known: reader.known,
		connect(held: Held) {
			feed?.end()
			feed = createFeed({ held, lastEventId: reader.connect(), isWanted, onChange: () => {} })
		},
		read(events = Number.POSITIVE_INFINITY) {
			for (let n = 0; n < events; n++) {
				const text = feed?.next()
				if (text === undefined) return
				reader.take(eventIn(text))
			}
		},
	}
}

const viewsOf = (entries: Iterable<Entry>) => Object.fromEntries([...entries].map(({ nodeName, view }) => [nodeName, view]))

test('after any changes, disconnections and restarts, a reader that follows the protocol has exactly what is held', () => {
	const property = fc.property(
		fc.array(step, { maxLength: 40, size: 'max' }),
		fc.subarray([...names], { minLength: 1 }),
		(steps, wanted) => {
			const isWanted = (nodeName: string) => wanted.some(name => name === nodeName)
			const cluster = createCluster()
			const replicas = [createReplica(cluster), createReplica(cluster)]
			const reader = createReader(isWanted)
			let connected = 0
			reader.connect((replicas[0] ?? expect.unreachable()).held)
			for (const one of steps) connected = run(one, { cluster, replicas, reader }) ?? connected
			for (const { watch } of replicas) watch()
			const { held } = replicas[connected] ?? expect.unreachable()
			reader.read()
			const expected = viewsOf(held.content.after().filter(({ nodeName }) => isWanted(nodeName)))
			expect(Object.fromEntries(reader.known)).toEqual(expected)
			expect(new Set(replicas.map(replica => replica.held.content.digest)).size).toBe(1)
		},
	)
	fc.assert(property, { numRuns: 2_000, examples: [[missedDeletion, ['a']]] })
})

/** A replica that never saw a node config cannot report its deletion to a reader that has it from another replica. */
const missedDeletion: Step[] = [
	{ do: 'write', nodeName: 'a', replica: 0 },
	{ do: 'connect', replica: 0 },
	{ do: 'read', events: 2 },
	{ do: 'delete', nodeName: 'a' },
	{ do: 'connect', replica: 1 },
	{ do: 'relist', replica: 1 },
]

type World = { cluster: Cluster; replicas: ReturnType<typeof createReplica>[]; reader: ReturnType<typeof createReader> }

/** @returns the replica to which the reader is connected, if that changed */
function run(one: Step, { cluster, replicas, reader }: World): number | undefined {
	const target = replicas['replica' in one ? one.replica : 0] ?? expect.unreachable()
	switch (one.do) {
		case 'set':
			cluster.set(one.nodeName)
			break
		case 'delete':
			cluster.remove(one.nodeName)
			break
		case 'write':
			target.write(one.nodeName)
			break
		case 'erase':
			cluster.remove(one.nodeName)
			target.held.hide(one.nodeName)
			break
		case 'watch':
			target.watch(one.events)
			break
		case 'bookmark':
			cluster.passTime()
			target.bookmark()
			break
		case 'relist':
			target.list()
			break
		case 'restart':
			// a reader that is connected to the old process finds out when it connects again
			target.watch()
			replicas[one.replica] = createReplica(cluster)
			reader.connect(replicas[one.replica]?.held ?? expect.unreachable())
			return one.replica
		case 'read':
			reader.read(one.events)
			break
		case 'connect':
			reader.connect(target.held)
			return one.replica
	}
	return undefined
}

test('after a restore of the cluster that viola noticed, no reader continues from a version of before', () => {
	const changes = fc.array(fc.record({ nodeName, isDeletion: fc.boolean(), isRead: fc.boolean() }), { maxLength: 15 })
	const property = fc.property(changes, changes, changes, fc.boolean(), (first, lost, after, isConnected) => {
		const cluster = createCluster()
		const target = createReplica(cluster)
		const reader = createReader(() => true)
		reader.connect(target.held)
		const make = (all: typeof first) => {
			for (const one of all) {
				if (one.isDeletion) cluster.remove(one.nodeName)
				else cluster.set(one.nodeName)
				target.watch()
				if (one.isRead) reader.read()
			}
		}
		make(first)
		const backup = { version: cluster.version, live: new Map(cluster.live()) }
		make(lost)
		cluster.restore(backup)
		target.list()
		if (isConnected) make(after)
		else make(after.map(one => ({ ...one, isRead: false })))
		if (!isConnected) reader.connect(target.held)
		reader.read()
		expect(Object.fromEntries(reader.known)).toEqual(viewsOf(cluster.live().values()))
	})
	fc.assert(property, { numRuns: 1_000 })
})
