import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { isDeepStrictEqual } from 'node:util'
import { systemTimer } from '../../../runtime/clock.ts'
import type { Credentials } from '../../../runtime/kube/kubeconfig/credentials.ts'
import { createCollector } from './collector.ts'
import type { OnRequest } from './faults.ts'
import { ADMIN, type Allows, bearerOf } from './identity.ts'
import { builtInKinds, definedKind, type FakeKind } from './kinds.ts'
import type { ApiObject } from './object.ts'
import { type Objects, objectsOf } from './objects.ts'
import { type Logged, type OpenWatch, serve, type World } from './serve.ts'
import { createStore, isDefinition, type Store } from './store.ts'
import type { WatchSettings } from './watch.ts'
import { createWriter, type OnWritten, type Writer } from './write.ts'

export type FakeApiServerOptions = Partial<WatchSettings> & {
	/** Additional kinds. Every server has the built-in kinds. */
	kinds?: readonly FakeKind[]
	/** Number of changes of each kind to keep for watches. Default: 20 000. */
	historySize?: number
	/** Whether owned objects are deleted with their owners, and the objects in a namespace with that namespace. Default: true. */
	controllerManager?: boolean
	/** Decides what users other than the administrator may do. Default: nothing. */
	allows?: Allows
	/** Returns milliseconds since 1970, for the times in metadata. */
	now?: () => number
}

/**
 * A fake kube-apiserver in the current process, with plain HTTP and nothing on disk. It passes the same conformance suite as the real one.
 *
 * Not implemented: admission and RBAC (see `validate` and `allows`), limits and rules of a schema, conversion between versions, strategic
 * and JSON patches, lists merged by key in server-side apply, deletion of whole collections, discovery, tokens, all subresources other than
 * status, and every controller except the garbage collector and the namespace controller: Jobs create no pods, and no node becomes
 * unreachable.
 */
export type FakeApiServer = {
	/** Credentials of an account with all permissions. */
	credentials: Credentials
	/** Credentials of another account; `allows` decides what it may do. */
	credentialsOf(user: string): Credentials
	/** Direct access to the objects without HTTP: immediate, not logged and without faults. */
	objects: Objects
	/** All requests so far, in the order of arrival. A test may clear the list. */
	requests: Logged[]
	/** The open watches. */
	watches: ReadonlySet<OpenWatch>
	/** Sets the hook that is called before each later request; undefined removes it. */
	onRequest(hook: OnRequest | undefined): void
	register(kind: FakeKind): void
	/** Returns the version of the last write of any object. */
	version(): number
	/**
	 * Discards the history, as a compaction of etcd does every five minutes: a request from an earlier version is answered with 410. Open
	 * watches continue.
	 */
	compact(): void
	/** Closes every connection. */
	disconnect(): void
	/** Closes every connection and accepts no new one until `up`. The objects are kept. */
	down(): Promise<void>
	/** Listens again, on the same address. */
	up(): Promise<void>
	stop(): Promise<void>
}

const namespaces = ['default', 'kube-system', 'kube-public', 'kube-node-lease']

/** Starts a fake API server on a free port of 127.0.0.1. */
export async function startFakeApiServer(options: FakeApiServerOptions = {}): Promise<FakeApiServer> {
	const { store, writer, stop } = createContent(options)
	const world: World = { store, writer, settings: settingsOf(options), allows: options.allows ?? (() => false), ...empty() }
	const objects = objectsOf(store, writer)
	for (const kind of [...builtInKinds(), ...(options.kinds ?? [])]) store.register(kind)
	for (const name of namespaces) writer.create(store.collection({ group: '', plural: 'namespaces' }), { metadata: { name } }, undefined)
	const server = createServer((message, response) => void serve(world, message, response))
	Object.assign(server, { keepAliveTimeout: 0, headersTimeout: 0, requestTimeout: 0 })
	const { port } = await listen(server, 0)
	const credentialsOf = (user: string): Credentials => ({
		server: `http://127.0.0.1:${port}`,
		tls: {},
		headers: async () => ({ authorization: bearerOf(user) }),
	})
	const down = () => closed(server)
	return {
		credentials: credentialsOf(ADMIN),
		credentialsOf,
		objects,
		requests: world.requests,
		watches: world.watches,
		onRequest: hook => {
			world.hook = hook
		},
		register: store.register,
		version: store.version,
		compact: store.compact,
		disconnect: () => server.closeAllConnections(),
		down,
		up: async () => void (await listen(server, port)),
		stop: async () => {
			stop()
			await down()
		},
	}
}

function createContent(options: FakeApiServerOptions): { store: Store; writer: Writer; stop: () => void } {
	const store = createStore(options.historySize ?? 20_000)
	const collector = createCollector(store, () => writer)
	const collected: OnWritten = options.controllerManager === false ? () => {} : collector.onWritten
	const onWritten: OnWritten = (at, now, before) => {
		if (isDefinition(at)) redefine(store, now?.object, before?.object, collected)
		collected(at, now, before)
	}
	const writer = createWriter(store, options.now ?? Date.now, onWritten)
	return { store, writer, stop: collector.stop }
}

/** Serves a custom resource only while it is defined. Its objects are removed with its definition. */
function redefine(store: Store, now: ApiObject | undefined, before: ApiObject | undefined, onRemoved: OnWritten): void {
	if (now && isDeepStrictEqual(now.spec, before?.spec)) return
	if (now) store.register(definedKind(now))
	else if (before) undefine(store, definedKind(before), onRemoved)
}

function undefine(store: Store, kind: FakeKind, onRemoved: OnWritten): void {
	const at = store.collection(kind)
	for (const entry of at.sorted()) {
		at.remove(entry.key, store.nextVersion())
		onRemoved(at, undefined, entry)
	}
	store.unregister(kind)
}

function settingsOf({ bookmarkEveryMs = 60_000, watchList = true, expiredWatch = 'event', setTimer = systemTimer }: FakeApiServerOptions) {
	return { bookmarkEveryMs, watchList, expiredWatch, setTimer }
}

function empty(): Pick<World, 'hook' | 'count' | 'requests' | 'watches'> {
	return { hook: undefined, count: 0, requests: [], watches: new Set() }
}

function listen(server: Server, port: number): Promise<AddressInfo> {
	return new Promise((resolve, reject) => {
		server.once('error', reject)
		server.listen(port, '127.0.0.1', () => {
			server.off('error', reject)
			resolve(server.address() as AddressInfo)
		})
	})
}

function closed(server: Server): Promise<void> {
	const { promise, resolve } = Promise.withResolvers<void>()
	server.close(() => resolve())
	server.closeAllConnections()
	return promise
}
