import { deadline, type SetTimer } from '../clock.ts'
import { isProtobuf, readEvent, type Status, WATCH_AS_PROTOBUF } from './envelope.ts'
import { failureOf, streamFailure } from './failures.ts'
import { framesOf, linesOf } from './frames.ts'
import { apiVersionOf, collectionPath, type Kind, type KubeObject, type Stored } from './kind.ts'
import type { Selection } from './list.ts'
import type { Message } from './protobuf.ts'
import type { Request } from './request.ts'
import type { Transport } from './transport.ts'

export type WatchOptions<T extends KubeObject = KubeObject> = Selection & {
	/** Where to start: the last version of a list, an event or a bookmark. Undefined: all existing objects are sent first, as ADDED. */
	resourceVersion: string | undefined
	/** How to read an object from protobuf, which costs client and server less than JSON. If undefined, the watch uses JSON. */
	protobuf?: Message<T> | undefined
	/** Time after which the server ends the watch, in seconds. */
	timeoutSeconds?: number
	/**
	 * Idle time, in milliseconds, after which the connection is considered dead. Default: 90 000. The server sends a bookmark every minute,
	 * but not while no object of that kind changes: a healthy watch may then be idle for minutes.
	 */
	idleMs?: number
	/** The idle time until the end of the initial events, which arrive without a pause. Default: 10 000, and at most `idleMs`. */
	initialIdleMs?: number
	signal: AbortSignal
	/** Called when the server has accepted the watch. */
	onOpen?: () => void
	/** Timer for the idle time. */
	setTimer?: SetTimer | undefined
}

export type WatchEvent<T extends KubeObject> =
	| { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: Stored<T> }
	/** All changes up to this version have been sent. */
	| Bookmark

export type Bookmark = {
	type: 'BOOKMARK'
	object: { metadata: { resourceVersion: string; annotations?: Readonly<Record<string, string>> } }
}

/** Returns whether the bookmark marks the end of the initial events. */
export function endsInitialEvents({ object }: Bookmark): boolean {
	return object.metadata.annotations?.['k8s.io/initial-events-end'] === 'true'
}

/**
 * Opens one watch and yields its events in order, until the server ends it (returns) or `signal` is aborted (throws STOPPED).
 *
 * @throws Failure EXPIRED if the resource version is too old, TIMED_OUT if idle (facts: `{ silent: true }`), or with any other KubeCode
 */
export async function* watchEvents<T extends KubeObject>(
	transport: Transport,
	kind: Kind<T>,
	options: WatchOptions<T>,
): AsyncGenerator<WatchEvent<T>, void, void> {
	const { signal, protobuf, setTimer, idleMs = 90_000, initialIdleMs = 10_000 } = options
	const path = collectionPath(kind, options.namespace)
	let idleLimitMs = options.resourceVersion === undefined ? Math.min(initialIdleMs, idleMs) : idleMs
	const watchdog = deadline(idleLimitMs, signal, setTimer)
	try {
		const accept = protobuf && WATCH_AS_PROTOBUF
		const wanted: Request = { method: 'GET', verb: 'watch', path, query: queryOf(options), accept }
		const { bytes, contentType } = await transport.open({ ...wanted, signal: watchdog.signal })
		options.onOpen?.()
		const alive = () => watchdog.restart(idleLimitMs)
		const told =
			protobuf && isProtobuf(contentType) ? fromProtobuf(framesOf(bytes, alive), kind, protobuf) : fromJson(linesOf(bytes, alive))
		for await (const said of told) {
			const event = eventOf<T>(path, said)
			if (event.type === 'BOOKMARK') {
				idleLimitMs = idleMs
				watchdog.restart(idleLimitMs)
			}
			yield event
		}
	} catch (error) {
		throw streamFailure(`watch ${path}`, error, { silent: watchdog.expired(), stopped: signal.aborted })
	} finally {
		watchdog.clear()
		watchdog.abort(new Error('the watch was aborted'))
	}
}

function queryOf({ labelSelector, fieldSelector, resourceVersion, timeoutSeconds }: WatchOptions): NonNullable<Request['query']> {
	const initial = resourceVersion === undefined && { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' }
	return { watch: true, allowWatchBookmarks: true, labelSelector, fieldSelector, resourceVersion, timeoutSeconds, ...initial }
}

/** An event as received. */
type RawEvent = { type: string; object: unknown }

async function* fromProtobuf<T extends KubeObject>(
	frames: AsyncIterable<Uint8Array>,
	kind: Kind<T>,
	read: Message<T>,
): AsyncGenerator<RawEvent> {
	const whose = { apiVersion: apiVersionOf(kind), kind: kind.kind }
	for await (const frame of frames) {
		const { type, object } = readEvent(frame, read)
		yield { type, object: Object.assign(object, whose) }
	}
}

async function* fromJson(lines: AsyncIterable<string>): AsyncGenerator<RawEvent> {
	for await (const line of lines) yield JSON.parse(line) as RawEvent
}

function eventOf<T extends KubeObject>(path: string, { type, object }: RawEvent): WatchEvent<T> {
	if (type !== 'ERROR') return { type, object } as WatchEvent<T>
	throw failureOf(`watch ${path}`, (object as Status).code ?? 500, JSON.stringify(object))
}
