import { sleep } from '../clock.ts'
import { Failure } from '../errors.ts'
import type { Log } from '../log.ts'
import { type Backoff, createBackoff } from './backoff.ts'
import type { KubeClient } from './client.ts'
import { isKubeFailure, retryAfterOf } from './failures.ts'
import { type Kind, type KubeObject, keyOf, type Stored } from './kind.ts'
import type { Selection } from './list.ts'
import { type Change, createStore, type MutableStore, type Store } from './store.ts'
import type { WatchEvent } from './watch.ts'

export type ReflectorOptions<T extends KubeObject, P> = Selection & {
	client: KubeClient
	kind: Kind<T>
	/** What to keep of an object; called while decoding, so that the rest is never held. Default: all save managedFields. */
	project?: (object: Stored<T>) => P
	/** Told of every change, in order, after the store holds it. What it throws is logged and does no harm. */
	onChange?: Change<P>
	log: Log
	signal: AbortSignal
	/** Objects a page of the list. Default: 500. */
	pageSize?: number
	/** Silence after which a watch is opened anew, in milliseconds. Default: 90 000. */
	idleMs?: number
	/** Where chance comes from: 0 ≤ x < 1. */
	chance?: () => number
	/** First and longest wait after a failure, in milliseconds. Default: 200 and 30 000. */
	backoff?: { firstMs: number; maxMs: number }
}

/** How often what was done since the start. */
export type ReflectorCounts = { lists: number; watches: number; events: number; failures: number }

export type Reflector<P> = {
	/** What the API server holds, as far as we have heard. */
	store: Store<P>
	/** Resolves when the first list is in the store; rejects with the signal's reason if that comes first. */
	synced: Promise<void>
	isSynced(): boolean
	/** Resolves when the signal has ended it. Nothing else does. */
	done: Promise<void>
	counts: Readonly<ReflectorCounts>
}

/**
 * Keeps a store equal to what the API server holds: lists in pages, then watches from there, for as long as `signal` lets it.
 *
 * A watch that ends is resumed where it stopped; a resource version that is too old is answered by a new list, and what the
 * list shows to be gone is reported gone. Failures are logged and waited out.
 */
export function startReflector<T extends KubeObject, P = Stored<T>>(options: ReflectorOptions<T, P>): Reflector<P> {
	const { signal, log, kind } = options
	const { promise: synced, resolve, reject } = Promise.withResolvers<void>()
	synced.catch(() => {}) // whoever waits sees it; whoever does not must not end the process
	let isSynced = false
	const counts: ReflectorCounts = { lists: 0, watches: 0, events: 0, failures: 0 }
	const onSynced = () => {
		isSynced = true
		resolve()
	}
	const store = createStore<P>(options.onChange ?? (() => {}), (error, key) =>
		log.error({ err: error, kind: kind.kind, key }, 'bug: a change handler threw'),
	)
	const backoff = createBackoff({ firstMs: 200, maxMs: 30_000, ...options.backoff, chance: options.chance ?? Math.random })
	const state: State<T, P> = { options, store, counts, backoff, resourceVersion: undefined, unpaged: false, onSynced }
	const done = follow(state).finally(() => reject(signal.reason))
	return { store, synced, isSynced: () => isSynced, done, counts }
}

type State<T extends KubeObject, P> = {
	options: ReflectorOptions<T, P>
	store: MutableStore<P>
	counts: ReflectorCounts
	backoff: Backoff
	/** Where to watch from; undefined: a list is needed. */
	resourceVersion: string | undefined
	/** A continue token ran out while paging: the next list is read in one piece. */
	unpaged: boolean
	onSynced: () => void
}

async function follow<T extends KubeObject, P>(state: State<T, P>): Promise<void> {
	const { signal } = state.options
	while (!signal.aborted) {
		try {
			if (state.resourceVersion === undefined) await list(state)
			else await watch(state)
		} catch (error) {
			if (!signal.aborted) await recover(state, error)
		}
	}
}

async function recover<T extends KubeObject, P>(state: State<T, P>, error: unknown): Promise<void> {
	const { log, kind, signal } = state.options
	if (error instanceof Failure && error.facts.silent === true) return log.debug({ kind: kind.kind }, 'a silent watch is opened anew')
	state.counts.failures++
	const waitMs = Math.round(Math.max(afterFailure(state, error), Math.min(retryAfterOf(error), 60_000)))
	const next = state.resourceVersion === undefined ? 'list' : 'watch'
	log.warn({ err: error, kind: kind.kind, waitMs, next }, 'lost sight of objects')
	await sleep(waitMs, signal)
}

/** What to do next after a failure is decided here; how long to wait is the answer, in milliseconds. */
function afterFailure<T extends KubeObject, P>(state: State<T, P>, error: unknown): number {
	if (isKubeFailure(error, 'EXPIRED')) {
		state.unpaged = state.resourceVersion === undefined
		state.resourceVersion = undefined
	}
	return state.backoff.next()
}

async function list<T extends KubeObject, P>(state: State<T, P>): Promise<void> {
	const { client, kind, pageSize = 500, signal } = state.options
	state.counts.lists++
	const fresh = state.store.startReplacing()
	let resourceVersion = ''
	for await (const page of client.pages(kind, { ...selectionOf(state.options), limit: state.unpaged ? 0 : pageSize, signal })) {
		for (const object of page.items) fresh.add(keyOf(object.metadata), object.metadata.resourceVersion, keep(state.options, object))
		resourceVersion = page.resourceVersion
	}
	fresh.commit()
	state.unpaged = false
	state.resourceVersion = resourceVersion
	state.onSynced()
}

async function watch<T extends KubeObject, P>(state: State<T, P>): Promise<void> {
	const { client, kind, idleMs = 90_000, signal, chance = Math.random } = state.options
	state.counts.watches++
	// the server's own limit differs from watch to watch, so that they do not all come back at once
	const timeoutSeconds = Math.round(300 + 300 * chance())
	const openedAt = Date.now()
	let heard = false
	const from = { resourceVersion: state.resourceVersion ?? '', timeoutSeconds, idleMs, signal }
	for await (const event of client.watch(kind, { ...selectionOf(state.options), ...from })) {
		take(state, event)
		heard = true
		state.backoff.reset()
	}
	// a server that ends every watch at once must not be asked in a tight loop
	if (!heard && Date.now() - openedAt < 5_000) await sleep(state.backoff.next(), signal)
}

function take<T extends KubeObject, P>(state: State<T, P>, event: WatchEvent<T>): void {
	state.counts.events++
	if (event.type === 'DELETED') state.store.remove(keyOf(event.object.metadata))
	else if (event.type !== 'BOOKMARK') put(state, event.object)
	state.resourceVersion = event.object.metadata.resourceVersion
}

function put<T extends KubeObject, P>({ store, options }: State<T, P>, object: Stored<T>): void {
	store.set(keyOf(object.metadata), object.metadata.resourceVersion, keep(options, object))
}

function selectionOf({ namespace, labelSelector, fieldSelector }: Selection): Selection {
	return { ...(namespace && { namespace }), ...(labelSelector && { labelSelector }), ...(fieldSelector && { fieldSelector }) }
}

function keep<T extends KubeObject, P>({ project }: ReflectorOptions<T, P>, object: Stored<T>): P {
	delete (object.metadata as { managedFields?: unknown }).managedFields
	return project ? project(object) : (object as unknown as P)
}
