import { sleep } from '../clock.ts'
import { Failure } from '../errors.ts'
import type { KubeCode } from './failures.ts'
import { type KubeObject, keyOf, type Stored } from './kind.ts'
import type { Selection } from './list.ts'
import type { ListMode, RunningReflector } from './reflector-state.ts'
import type { Replacement } from './store.ts'
import { type Bookmark, endsInitialEvents, type WatchEvent } from './watch.ts'
import type { Known } from './write-overlay.ts'

/** Reads all objects with list requests. */
export async function list<T extends KubeObject, P>(
	running: RunningReflector<T, P>,
	listMode: Exclude<ListMode, 'watchlist'>,
): Promise<void> {
	const { client, kind, pageSize = 500, signal } = running.options
	running.counts.lists++
	const fresh = running.store.startReplacing()
	let resourceVersion = ''
	const limit = listMode === 'single' ? 0 : pageSize
	for await (const page of client.pages(kind, { ...selectionOf(running.options), limit, signal, timeoutMs: slowestPageMs })) {
		for (const object of page.items) collect(running, fresh, object)
		resourceVersion = page.resourceVersion
	}
	replaceStore(running, fresh, resourceVersion)
}

/** A page may take as long as the API server allows (60 s by default); a shorter limit would restart the list again and again. */
const slowestPageMs = 70_000

/** Follows the changes after the known resource version; without one, the watch first delivers all existing objects. */
export async function watch<T extends KubeObject, P>(running: RunningReflector<T, P>): Promise<void> {
	const { client, kind, protobuf, setTimer, idleMs = 90_000, initialIdleMs = 10_000, signal, chance = Math.random } = running.options
	const resourceVersion = versionOf(running)
	running.counts.watches++
	if (resourceVersion === undefined) running.counts.lists++
	// the server-side timeout differs between watches, so that they do not all reconnect at the same time
	const timeoutSeconds = Math.round(300 + 300 * chance())
	const openedAt = performance.now()
	const isStable = () => performance.now() - openedAt > stableMs
	const onOpen = () => hear(running)
	const how = { resourceVersion, protobuf, timeoutSeconds, idleMs, initialIdleMs, signal, setTimer, onOpen }
	try {
		await takeAll(running, client.watch(kind, { ...selectionOf(running.options), ...how }))
	} finally {
		if (isStable()) running.backoff.reset()
	}
	if (running.state.phase !== 'watching') throw unfinished(kind.plural, 'ended')
	// a server that ends every watch immediately must not be called in a tight loop
	if (!isStable()) await sleep(running.backoff.next(), signal)
}

/** How long a watch must last to be treated as healthy even without events, in milliseconds. */
const stableMs = 5_000

function versionOf<T extends KubeObject, P>({ state }: RunningReflector<T, P>): string | undefined {
	return state.phase === 'watching' ? state.resourceVersion : undefined
}

async function takeAll<T extends KubeObject, P>(running: RunningReflector<T, P>, events: AsyncIterable<WatchEvent<T>>): Promise<void> {
	const fresh = running.store.startReplacing()
	for await (const event of events) {
		running.counts.events++
		if (running.state.phase !== 'watching') takeInitial(running, fresh, event)
		else take(running, event)
	}
}

function takeInitial<T extends KubeObject, P>(running: RunningReflector<T, P>, fresh: Replacement<P>, event: WatchEvent<T>): void {
	if (event.type === 'DELETED') fresh.remove(keyOf(event.object.metadata))
	else if (event.type !== 'BOOKMARK') collect(running, fresh, event.object)
	else finish(running, fresh, event)
}

function finish<T extends KubeObject, P>(running: RunningReflector<T, P>, fresh: Replacement<P>, mark: Bookmark): void {
	if (!endsInitialEvents(mark)) throw unfinished(running.options.kind.plural, 'sent a bookmark')
	replaceStore(running, fresh, mark.object.metadata.resourceVersion)
}

/** Returns the failure to throw if the server does not support initial events, or sends them too slowly. */
function unfinished(plural: string, how: string): Failure<KubeCode> {
	return new Failure('SERVER_ERROR', `the watch of ${plural} ${how} before the end of the initial events`, { retry: true })
}

function replaceStore<T extends KubeObject, P>(running: RunningReflector<T, P>, fresh: Replacement<P>, resourceVersion: string): void {
	const { overlay, state } = running
	overlay.advance(resourceVersion)
	for (const { key, version, value } of overlay.values()) fresh.add(key, version, value)
	fresh.commit(state.phase === 'listing')
	reportReached(running, resourceVersion, true)
	running.state = { phase: 'watching', resourceVersion }
	hear(running)
	running.onReplaced()
}

/** Records that the API server has confirmed the store, except while all objects are read, because the store is not complete then. */
function hear<T extends KubeObject, P>(running: RunningReflector<T, P>): void {
	if (running.state.phase === 'watching') running.heardMs = performance.now()
}

function take<T extends KubeObject, P>(running: RunningReflector<T, P>, event: WatchEvent<T>): void {
	const { resourceVersion } = event.object.metadata
	running.overlay.advance(resourceVersion)
	if (event.type !== 'BOOKMARK') takeChange(running, event)
	reportReached(running, resourceVersion, false)
	running.state = { phase: 'watching', resourceVersion }
	hear(running)
	// a server that sends only bookmarks before it fails is not healthy
	if (event.type !== 'BOOKMARK') running.backoff.reset()
}

function reportReached<T extends KubeObject, P>({ options }: RunningReflector<T, P>, resourceVersion: string, isList: boolean): void {
	try {
		options.onReached?.(resourceVersion, isList)
	} catch (error) {
		options.log.error({ err: error, kind: options.kind.kind }, 'bug: the handler of reached versions threw')
	}
}

function takeChange<T extends KubeObject, P>(running: RunningReflector<T, P>, { type, object }: Exclude<WatchEvent<T>, Bookmark>): void {
	const key = keyOf(object.metadata)
	if (running.overlay.has(key)) return
	if (type === 'DELETED') running.store.remove(key)
	else if (running.store.versionOf(key) !== object.metadata.resourceVersion) put(running, changed(running, object))
}

/** Handles an object from the response to another request like a watch event, unless the watch has already reached its version. */
export function observeWrite<T extends KubeObject, P>(running: RunningReflector<T, P>, object: Stored<T>): void {
	const { overlay } = running
	// checked first, because the watch has often delivered the version already, and a projection may be expensive
	if (!overlay.isNew(keyOf(object.metadata), object.metadata.resourceVersion)) return
	const known = changed(running, object)
	if (known && overlay.add(known)) put(running, known)
}

/** Projects an object that is a change of the stored one. */
function changed<T extends KubeObject, P>(running: RunningReflector<T, P>, object: Stored<T>): Known<P> | undefined {
	return projected(running, object, running.store.get(keyOf(object.metadata)))
}

function put<T extends KubeObject, P>({ store }: RunningReflector<T, P>, known: Known<P> | undefined): void {
	if (known) store.set(known.key, known.version, known.value)
}

function collect<T extends KubeObject, P>(running: RunningReflector<T, P>, fresh: Replacement<P>, object: Stored<T>): void {
	const known = projected(running, object)
	if (known) fresh.add(known.key, known.version, known.value)
	else fresh.keep(keyOf(object.metadata))
}

/** @returns undefined if the projection threw: an object that it cannot handle must not hide the others or appear to be deleted */
function projected<T extends KubeObject, P>({ options }: RunningReflector<T, P>, object: Stored<T>, before?: P): Known<P> | undefined {
	const { project, log, kind } = options
	// with a projection, managedFields stay: the projection may read them, and the object itself is not kept
	if (!project) delete object.metadata.managedFields
	const key = keyOf(object.metadata)
	try {
		return { key, version: object.metadata.resourceVersion, value: project ? project(object, before) : (object as unknown as P) }
	} catch (error) {
		log.error({ err: error, kind: kind.kind, key }, 'bug: an object could not be projected')
		return undefined
	}
}

function selectionOf({ namespace, labelSelector, fieldSelector }: Selection): Selection {
	return { ...(namespace && { namespace }), ...(labelSelector && { labelSelector }), ...(fieldSelector && { fieldSelector }) }
}
