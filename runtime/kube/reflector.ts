import { type SetTimer, sleep } from '../clock.ts'
import { Failure } from '../errors.ts'
import type { Log } from '../log.ts'
import { createAhead } from './ahead.ts'
import { type Backoff, createBackoff } from './backoff.ts'
import type { KubeClient } from './client.ts'
import { isKubeFailure, retryAfterOf } from './failures.ts'
import type { Kind, KubeObject, Stored } from './kind.ts'
import type { Selection } from './list.ts'
import { learn, list, type Mirror, type Way, watch } from './mirror.ts'
import type { Message } from './protobuf.ts'
import { type Change, createStore, type MutableStore, type Store } from './store.ts'

export type ReflectorOptions<T extends KubeObject, P> = Selection & {
	client: KubeClient
	kind: Kind<T>
	/** How an object is read from protobuf, where the watch shall be told so; fields it does not read are not there. Default: JSON. */
	protobuf?: Message<T>
	/** What to keep of an object; called while decoding, so that the rest is never held. Default: all save managedFields. */
	project?: (object: Stored<T>) => P
	/** Told of every change, in order, after the store holds it. What it throws, now or later, is logged and does no harm. */
	onChange?: Change<P>
	log: Log
	signal: AbortSignal
	/** How everything is read; by a stream only where the server can. Default: stream. */
	reading?: Way
	/** Objects a page of a list. Default: 500. */
	pageSize?: number
	/** How often every object is told again as it is, give or take a tenth, in milliseconds. Default: never. */
	resyncMs?: number
	/** Silence after which a watch is opened anew, in milliseconds. Default: 90 000. */
	idleMs?: number
	/** The same while initial events come. Default: 10 000. */
	initialIdleMs?: number
	/** What counts the silence of a watch. */
	setTimer?: SetTimer
	/** Where chance comes from: 0 ≤ x < 1. */
	chance?: () => number
	/** First and longest wait after a failure, in milliseconds. Default: 200 and 30 000. */
	backoff?: { firstMs: number; maxMs: number }
}

/** How often what was done since the start; `lists` counts how often everything was asked for, be it of a watch. */
export type ReflectorCounts = { lists: number; watches: number; events: number; failures: number }

export type Reflector<T extends KubeObject, P> = {
	/** What the API server holds, as far as we have heard. */
	store: Store<P>
	/** The answer to a request of ours shows an object: it counts at once, and the watch need not tell it again. */
	learn(object: Stored<T>): void
	/** Resolves when the store holds everything for the first time; rejects with the signal's reason if that comes first. */
	synced: Promise<void>
	isSynced(): boolean
	/** Resolves when the signal has ended it. Nothing else does. */
	done: Promise<void>
	counts: Readonly<ReflectorCounts>
}

/**
 * Keeps a store equal to what the API server holds: reads everything, then watches from there, for as long as `signal` lets it.
 *
 * A watch that ends is resumed where it stopped; a resource version that is too old is answered by reading everything anew, and what
 * is missing then is reported gone. Until all of it is read the store stays as it was. Failures are logged and waited out.
 */
export function startReflector<T extends KubeObject, P = Stored<T>>(options: ReflectorOptions<T, P>): Reflector<T, P> {
	const { signal, log, kind, onChange = () => {} } = options
	const { promise: synced, resolve, reject } = Promise.withResolvers<void>()
	synced.catch(() => {}) // whoever waits sees it; whoever does not must not end the process
	const store = createStore<P>(onChange, (error, key) => log.error({ err: error, kind: kind.kind, key }, 'bug: a change handler threw'))
	const state = startState(options, store, resolve)
	const done = Promise.all([follow(state), resync(state)]).then(() => reject(signal.reason))
	const { mirror } = state
	return { store, learn: object => learn(mirror, object), synced, isSynced: mirror.isFilled, done, counts: mirror.counts }
}

type State<T extends KubeObject, P> = {
	mirror: Mirror<T, P>
	/** Waits before everything is read anew, which is dear. */
	relists: Backoff
	relistedAt: number
	/** How everything is read, unless that way has just failed. */
	usual: Way
}

function startState<T extends KubeObject, P>(options: ReflectorOptions<T, P>, store: MutableStore<P>, onSynced: () => void): State<T, P> {
	const times = { firstMs: 200, maxMs: 30_000, ...options.backoff, chance: options.chance ?? Math.random }
	let isFilled = false
	const usual = options.reading ?? 'stream'
	const mirror: Mirror<T, P> = {
		options,
		store,
		ahead: createAhead<P>(),
		counts: { lists: 0, watches: 0, events: 0, failures: 0 },
		backoff: createBackoff(times),
		resourceVersion: undefined,
		way: usual,
		isFilled: () => isFilled,
		onFilled: () => {
			isFilled = true
			mirror.way = state.usual
			onSynced()
		},
	}
	const state: State<T, P> = { mirror, relists: createBackoff(times), relistedAt: Number.NEGATIVE_INFINITY, usual }
	return state
}

async function follow<T extends KubeObject, P>(state: State<T, P>): Promise<void> {
	const { mirror } = state
	const { signal } = mirror.options
	while (!signal.aborted) {
		try {
			if (mirror.resourceVersion === undefined && mirror.way !== 'stream') await list(mirror)
			else await watch(mirror)
		} catch (error) {
			if (!signal.aborted) await recover(state, error)
		}
	}
}

async function resync<T extends KubeObject, P>({ mirror }: State<T, P>): Promise<void> {
	const { resyncMs = 0, chance = Math.random, signal } = mirror.options
	while (resyncMs > 0 && (await sleep(resyncMs * (0.9 + 0.2 * chance()), signal))) mirror.store.tellAgain()
}

async function recover<T extends KubeObject, P>(state: State<T, P>, error: unknown): Promise<void> {
	const { mirror } = state
	const { log, kind, signal } = mirror.options
	if (isSilence(error) && mirror.resourceVersion !== undefined) return log.debug({ kind: kind.kind }, 'watch idle, reconnecting')
	if (refusesStream(mirror, error)) {
		state.usual = mirror.way = 'pages'
		return log.info({ err: error, kind: kind.kind }, 'API server does not support WatchList, falling back to LIST')
	}
	mirror.counts.failures++
	const waitMs = Math.round(Math.max(afterFailure(state, error), Math.min(retryAfterOf(error), 60_000)))
	const next = mirror.resourceVersion === undefined ? mirror.way : 'watch'
	log.warn({ err: error, kind: kind.kind, waitMs, next }, 'list or watch failed, retrying')
	await sleep(waitMs, signal)
}

function isSilence(error: unknown): boolean {
	return error instanceof Failure && error.facts.silent === true
}

function refusesStream<T extends KubeObject, P>({ resourceVersion, way }: Mirror<T, P>, error: unknown): boolean {
	return resourceVersion === undefined && way === 'stream' && isKubeFailure(error, 'BAD_REQUEST', 'INVALID')
}

/** What to do next after a failure is decided here; how long to wait is the answer, in milliseconds. */
function afterFailure<T extends KubeObject, P>(state: State<T, P>, error: unknown): number {
	const { mirror } = state
	const isExpired = isKubeFailure(error, 'EXPIRED')
	if (mirror.resourceVersion === undefined) mirror.way = isExpired && mirror.way !== 'stream' ? 'whole' : 'pages'
	// what is no failure of the server's is an event that cannot be read: from there the watch would never get on
	if (!isExpired && isKubeFailure(error)) return mirror.backoff.next()
	mirror.resourceVersion = undefined
	return relistWait(state)
}

/** Grows with every reading that follows another closely, however well each went: a server may answer 410 to every watch. */
function relistWait<T extends KubeObject, P>(state: State<T, P>): number {
	const now = performance.now()
	if (now - state.relistedAt > forgivenMs) state.relists.reset()
	state.relistedAt = now
	return state.relists.next()
}

const forgivenMs = 120_000
