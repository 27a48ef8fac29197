import { deadline } from '../clock.ts'
import { Failure } from '../errors.ts'
import type { KubeCode } from './failures.ts'
import { failureOf, isKubeFailure } from './failures.ts'
import { collectionPath, type Kind, type KubeObject, type Stored } from './kind.ts'
import type { Selection } from './list.ts'
import type { Request, Transport } from './transport.ts'

export type WatchOptions = Selection & {
	/** From where: what a list, an event or a bookmark gave last. Undefined: from all there is, told as ADDED before anything else. */
	resourceVersion: string | undefined
	/** After how long the server ends the watch by itself, in seconds. */
	timeoutSeconds?: number
	/**
	 * Silence, in milliseconds, after which the connection may be dead. Default: 90 000.
	 * Bookmarks come every minute, but not while nothing of that kind changes: then a healthy watch is silent for minutes.
	 */
	idleMs?: number
	/** The same until the end of the initial events, which come without a pause. Default: 10 000, and no more than `idleMs`. */
	initialIdleMs?: number
	signal: AbortSignal
}

export type WatchEvent<T extends KubeObject> =
	| { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: Stored<T> }
	/** Nothing changed up to this version. */
	| Bookmark

export type Bookmark = {
	type: 'BOOKMARK'
	object: { metadata: { resourceVersion: string; annotations?: Readonly<Record<string, string>> } }
}

/** Whether it says that all there was has been told. */
export function endsInitialEvents({ object }: Bookmark): boolean {
	return object.metadata.annotations?.['k8s.io/initial-events-end'] === 'true'
}

/**
 * One watch: events in the order they happened, until the server ends it (returns) or `signal` does (throws STOPPED).
 *
 * @throws Failure EXPIRED when the resource version is too old, TIMED_OUT after silence (facts: `{ silent: true }`), and what any call may throw
 */
export async function* watchEvents<T extends KubeObject>(
	transport: Transport,
	kind: Kind<T>,
	options: WatchOptions,
): AsyncGenerator<WatchEvent<T>, void, void> {
	const { signal, idleMs = 90_000, initialIdleMs = 10_000 } = options
	const path = collectionPath(kind, options.namespace)
	let patienceMs = options.resourceVersion === undefined ? Math.min(initialIdleMs, idleMs) : idleMs
	const watchdog = deadline(patienceMs, signal)
	try {
		const stream = await transport.open({ method: 'GET', verb: 'watch', path, query: queryOf(options), signal: watchdog.signal })
		for await (const line of linesOf(stream, () => watchdog.restart(patienceMs))) {
			const event = eventOf<T>(path, line)
			if (event.type === 'BOOKMARK') {
				patienceMs = idleMs
				watchdog.restart(patienceMs)
			}
			yield event
		}
	} catch (error) {
		throw ended(path, error, watchdog.expired(), signal)
	} finally {
		watchdog.clear()
		watchdog.abort(new Error('the watch is no longer read'))
	}
}

function queryOf({ labelSelector, fieldSelector, resourceVersion, timeoutSeconds }: WatchOptions): NonNullable<Request['query']> {
	const initial = resourceVersion === undefined && { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' }
	return { watch: true, allowWatchBookmarks: true, labelSelector, fieldSelector, resourceVersion, timeoutSeconds, ...initial }
}

/** Whole lines of a stream of bytes. A last line without its end is dropped: it was cut. */
async function* linesOf(stream: AsyncIterable<Uint8Array>, alive: () => void): AsyncGenerator<string, void, void> {
	let rest: Uint8Array[] = []
	for await (const chunk of stream) {
		alive()
		let from = 0
		for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
			const line = text(rest, chunk.subarray(from, end))
			rest = []
			from = end + 1
			if (line.trim()) yield line
		}
		if (from < chunk.length) rest.push(chunk.subarray(from))
	}
}

function text(rest: readonly Uint8Array[], last: Uint8Array): string {
	const bytes = rest.length > 0 ? Buffer.concat([...rest, last]) : Buffer.from(last.buffer, last.byteOffset, last.byteLength)
	return bytes.toString('utf8')
}

function eventOf<T extends KubeObject>(path: string, line: string): WatchEvent<T> {
	const event = JSON.parse(line) as WatchEvent<T> | { type: 'ERROR'; object: { code?: number } }
	if (event.type !== 'ERROR') return event
	throw failureOf(`watch ${path}`, event.object.code ?? 500, JSON.stringify(event.object))
}

function ended(path: string, error: unknown, silent: boolean, signal: AbortSignal): unknown {
	if (signal.aborted) return new Failure<KubeCode>('STOPPED', `watch ${path} was given up`, { retry: true })
	if (silent) return new Failure<KubeCode>('TIMED_OUT', `watch ${path} fell silent`, { retry: true, facts: { silent: true } })
	if (isKubeFailure(error)) return error
	return new Failure<KubeCode>('UNREACHABLE', `watch ${path} broke off`, { retry: true, cause: error })
}
