import { sleep } from '../clock.ts'
import { Failure } from '../errors.ts'
import type { Ahead, Known } from './ahead.ts'
import type { Backoff } from './backoff.ts'
import type { KubeCode } from './failures.ts'
import { type KubeObject, keyOf, type Stored } from './kind.ts'
import type { Selection } from './list.ts'
import type { ReflectorCounts, ReflectorOptions } from './reflector.ts'
import type { MutableStore, Replacement } from './store.ts'
import { type Bookmark, endsInitialEvents, type WatchEvent } from './watch.ts'

/**
 * How all objects are read: as events of a watch, as a list in pages, or as a list in one response. For objects that the API server only
 * has in JSON (custom resources), one response costs it half as much as a stream; in pages a start takes twice as long (measured, 10,000).
 */
export type Way = 'stream' | 'pages' | 'whole'

/** The state of a reflector. */
export type Mirror<T extends KubeObject, P> = {
	options: ReflectorOptions<T, P>
	store: MutableStore<P>
	ahead: Ahead<P>
	counts: ReflectorCounts
	/** Waits between watches that fail or end immediately. */
	backoff: Backoff
	/** Where to start the watch; undefined: all objects must be read again. */
	resourceVersion: string | undefined
	/** How all objects are read. */
	way: Way
	/** Called when all objects have been read and are in the store. */
	onFilled(): void
	isFilled(): boolean
}

/** Reads all objects as a list. */
export async function list<T extends KubeObject, P>(mirror: Mirror<T, P>): Promise<void> {
	const { client, kind, pageSize = 500, signal } = mirror.options
	mirror.counts.lists++
	const fresh = mirror.store.startReplacing()
	let resourceVersion = ''
	const limit = mirror.way === 'whole' ? 0 : pageSize
	for await (const page of client.pages(kind, { ...selectionOf(mirror.options), limit, signal, timeoutMs: slowestPageMs })) {
		for (const object of page.items) collect(mirror, fresh, object)
		resourceVersion = page.resourceVersion
	}
	fill(mirror, fresh, resourceVersion)
}

/** A page may take as long as the API server allows (60 s by default); a shorter limit would restart the list again and again. */
const slowestPageMs = 70_000

/** Follows changes from the mirror's resource version; without one, the watch first delivers all existing objects. */
export async function watch<T extends KubeObject, P>(mirror: Mirror<T, P>): Promise<void> {
	const { client, kind, protobuf, setTimer, idleMs = 90_000, initialIdleMs = 10_000, signal, chance = Math.random } = mirror.options
	const { resourceVersion } = mirror
	mirror.counts.watches++
	if (resourceVersion === undefined) mirror.counts.lists++
	// the server-side timeout differs between watches, so that they do not all reconnect at the same time
	const timeoutSeconds = Math.round(300 + 300 * chance())
	const openedAt = performance.now()
	const isSound = () => performance.now() - openedAt > soundMs
	const how = { resourceVersion, protobuf, timeoutSeconds, idleMs, initialIdleMs, signal, setTimer }
	try {
		await takeAll(mirror, client.watch(kind, { ...selectionOf(mirror.options), ...how }))
	} finally {
		if (isSound()) mirror.backoff.reset()
	}
	if (mirror.resourceVersion === undefined) throw unfinished(kind.plural, 'ended')
	// a server that ends every watch immediately must not be called in a tight loop
	if (!isSound()) await sleep(mirror.backoff.next(), signal)
}

/** How long a watch must last to count as healthy even without events, in milliseconds. */
const soundMs = 5_000

async function takeAll<T extends KubeObject, P>(mirror: Mirror<T, P>, events: AsyncIterable<WatchEvent<T>>): Promise<void> {
	const fresh = mirror.store.startReplacing()
	for await (const event of events) {
		mirror.counts.events++
		if (mirror.resourceVersion === undefined) takeInitial(mirror, fresh, event)
		else take(mirror, event)
	}
}

function takeInitial<T extends KubeObject, P>(mirror: Mirror<T, P>, fresh: Replacement<P>, event: WatchEvent<T>): void {
	if (event.type === 'DELETED') fresh.remove(keyOf(event.object.metadata))
	else if (event.type !== 'BOOKMARK') collect(mirror, fresh, event.object)
	else finish(mirror, fresh, event)
}

function finish<T extends KubeObject, P>(mirror: Mirror<T, P>, fresh: Replacement<P>, mark: Bookmark): void {
	if (!endsInitialEvents(mark)) throw unfinished(mirror.options.kind.plural, 'goes on')
	fill(mirror, fresh, mark.object.metadata.resourceVersion)
}

/** The server does not support initial events, or is too slow for them. */
function unfinished(plural: string, how: string): Failure<KubeCode> {
	return new Failure('SERVER_ERROR', `the watch of ${plural} ${how} before the end of the initial events`, { retry: true })
}

function fill<T extends KubeObject, P>(mirror: Mirror<T, P>, fresh: Replacement<P>, resourceVersion: string): void {
	mirror.resourceVersion = resourceVersion
	mirror.ahead.reach(resourceVersion)
	for (const { key, version, value } of mirror.ahead.values()) fresh.add(key, version, value)
	fresh.commit(!mirror.isFilled())
	mirror.onFilled()
}

function take<T extends KubeObject, P>(mirror: Mirror<T, P>, event: WatchEvent<T>): void {
	const { resourceVersion } = event.object.metadata
	mirror.ahead.reach(resourceVersion)
	if (event.type !== 'BOOKMARK') takeChange(mirror, event)
	mirror.resourceVersion = resourceVersion
	// a server that sends only bookmarks before it fails is not healthy
	if (event.type !== 'BOOKMARK') mirror.backoff.reset()
}

function takeChange<T extends KubeObject, P>(mirror: Mirror<T, P>, { type, object }: Exclude<WatchEvent<T>, Bookmark>): void {
	const key = keyOf(object.metadata)
	if (mirror.ahead.has(key)) return
	if (type === 'DELETED') mirror.store.remove(key)
	else put(mirror, projected(mirror, object))
}

/** Handles an object from a response to this process like an event of the watch, unless the watch has already reached its version. */
export function learn<T extends KubeObject, P>(mirror: Mirror<T, P>, object: Stored<T>): void {
	const known = projected(mirror, object)
	if (known && mirror.ahead.add(known)) put(mirror, known)
}

function put<T extends KubeObject, P>({ store }: Mirror<T, P>, known: Known<P> | undefined): void {
	if (known) store.set(known.key, known.version, known.value)
}

function collect<T extends KubeObject, P>(mirror: Mirror<T, P>, fresh: Replacement<P>, object: Stored<T>): void {
	const known = projected(mirror, object)
	if (known) fresh.add(known.key, known.version, known.value)
	else fresh.keep(keyOf(object.metadata))
}

/** @returns undefined if the projection threw: one object it cannot handle must not hide all others, nor appear to be deleted */
function projected<T extends KubeObject, P>({ options }: Mirror<T, P>, object: Stored<T>): Known<P> | undefined {
	const { project, log, kind } = options
	// a projection may read managedFields, and the object itself is not kept then
	if (!project) delete object.metadata.managedFields
	const key = keyOf(object.metadata)
	try {
		return { key, version: object.metadata.resourceVersion, value: project ? project(object) : (object as unknown as P) }
	} catch (error) {
		log.error({ err: error, kind: kind.kind, key }, 'bug: an object could not be projected')
		return undefined
	}
}

function selectionOf({ namespace, labelSelector, fieldSelector }: Selection): Selection {
	return { ...(namespace && { namespace }), ...(labelSelector && { labelSelector }), ...(fieldSelector && { fieldSelector }) }
}
