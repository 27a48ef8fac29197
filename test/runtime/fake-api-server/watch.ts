import type { SetTimer } from '../../../runtime/clock.ts'
import type { Change, Collection } from './collection.ts'
import { bookmarkLine, changeLine, errorLine, eventLine } from './event.ts'
import { selectionOf, textAs } from './list.ts'
import { expired, invalid } from './refusal.ts'
import type { ApiRequest } from './request.ts'
import { type Selects, selectorOf } from './select.ts'
import type { Store } from './store.ts'

export type WatchSettings = {
	/** Time between two bookmarks, in milliseconds. */
	bookmarkEveryMs: number
	/** Whether `sendInitialEvents` is supported. */
	watchList: boolean
	/** How a watch from a version that is too old is rejected: the watch cache sends an event in the stream, etcd an HTTP status. */
	expiredWatch: 'event' | 'status'
	setTimer: SetTimer
}

/** Receives the lines of a watch. */
export type Sink = { write(line: string): void; end(): void }

export type Watch = { store: Store; at: Collection; request: ApiRequest; settings: WatchSettings; sink: Sink }

/**
 * Starts a watch. The changes since its resource version are sent immediately.
 *
 * @returns a function that ends the watch
 * @throws Refusal 400, 410 or 422
 */
export function startWatch(watch: Watch): () => void {
	const { at, request, settings, sink } = watch
	const { query, version } = request
	const selects = selectorOf(at.kind, selectionOf(request))
	const tell = (change: Change) => {
		const line = changeLine(at, version, change, selects)
		if (line !== undefined) sink.write(line)
	}
	const start = startOf(query, settings)
	const from = Number(query.get('resourceVersion') || 0)
	if (start === 'version' && from < at.history.oldest()) return tellExpired(watch, from)
	let seen = start === 'version' ? from : tellAll(watch, selects, start)
	if (start === 'version') for (const change of at.history.after(from)) tell(change)
	const mark = () => {
		seen = Math.max(seen, at.lastVersion)
		sink.write(bookmarkLine(at, version, seen))
	}
	const unfollow = at.follow({ told: tell, ended: sink.end })
	const cancel = startTimers(query, settings, { mark, end: sink.end })
	return () => {
		unfollow()
		cancel()
	}
}

/**
 * What a watch sends first: the current objects and then a bookmark, only the current objects, or the changes after the requested version.
 */
type Start = 'initial events' | 'state' | 'version'

/** @returns the version of the objects that were sent */
function tellAll({ store, at, request: { version, query }, sink }: Watch, selects: Selects, start: Start): number {
	for (const entry of at.sorted()) if (selects(entry.object)) sink.write(eventLine('ADDED', textAs(at, entry, version)))
	const annotations = { 'k8s.io/initial-events-end': 'true' }
	const isMarked = start === 'initial events' && query.get('allowWatchBookmarks') === 'true'
	if (isMarked) sink.write(bookmarkLine(at, version, store.version(), { annotations }))
	return store.version()
}

function tellExpired({ at, settings, sink }: Watch, from: number): () => void {
	const refusal = expired(`too old resource version: ${from} (${at.history.oldest()})`)
	if (settings.expiredWatch === 'status') throw refusal
	sink.write(errorLine(refusal))
	sink.end()
	return () => {}
}

function startOf(query: URLSearchParams, { watchList }: WatchSettings): Start {
	const match = query.get('resourceVersionMatch')
	const asked = query.get('sendInitialEvents')
	const fault = initialEventsFault(asked, match, watchList)
	if (fault) throw invalid({ kind: 'ListOptions', group: 'meta.k8s.io' }, '', [fault])
	if (asked === 'true') return 'initial events'
	return Number(query.get('resourceVersion') || 0) > 0 ? 'version' : 'state'
}

function initialEventsFault(asked: string | null, match: string | null, watchList: boolean) {
	const forbidden = (field: string, words: string) => ({ field, message: `Forbidden: ${words}` })
	if (asked === null) {
		const words = 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided'
		return match === null ? undefined : forbidden('resourceVersionMatch', words)
	}
	if (!watchList)
		return forbidden('sendInitialEvents', 'sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled')
	const words = 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'
	return match === 'NotOlderThan' ? undefined : forbidden('resourceVersionMatch', words)
}

/** Sends a bookmark at every interval, and one 2 s before the end. */
function startTimers(query: URLSearchParams, settings: WatchSettings, { mark, end }: { mark: () => void; end: () => void }): () => void {
	const { setTimer, bookmarkEveryMs } = settings
	const lastsMs = Number(query.get('timeoutSeconds') || 1_800) * 1_000
	const isMarked = query.get('allowWatchBookmarks') === 'true'
	let cancelNext = () => {}
	const repeat = () => {
		cancelNext = setTimer(() => {
			mark()
			repeat()
		}, bookmarkEveryMs)
	}
	if (isMarked) repeat()
	const cancels = [setTimer(end, lastsMs), ...(isMarked && lastsMs > 2_000 ? [setTimer(mark, lastsMs - 2_000)] : [])]
	return () => {
		cancelNext()
		for (const cancel of cancels) cancel()
	}
}
