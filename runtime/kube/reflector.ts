import { type SetTimer, sleep } from '../clock.ts'
import { Failure } from '../errors.ts'
import type { Log } from '../log.ts'
import { createAhead } from './ahead.ts'
import type { Waits } from '../backoff.ts'
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
	/** How to read an object from protobuf, if the watch is to use it; fields that it does not read are missing. Default: JSON. */
	protobuf?: Message<T>
	/** Selects what to keep of an object; called while decoding, so that the rest is never held. Default: all except managedFields. */
	project?: (object: Stored<T>) => P
	/** Called for every change, in order, after the store holds it. Errors that it throws, or rejects with later, are only logged. */
	onChange?: Change<P>
	log: Log
	signal: AbortSignal
	/** How all objects are read; as a stream only if the server supports it. Default: stream. */
	reading?: Way
	/** Objects per page of a list. Default: 500. */
	pageSize?: number
	/** Resync period: how often every object is reported again unchanged, in milliseconds, give or take a tenth. Default: never. */
	resyncMs?: number
	/** Idle time after which a watch is reopened, in milliseconds. Default: 90 000. */
	idleMs?: number
	/** The same during the initial events. Default: 10 000. */
	initialIdleMs?: number
	/** Timer for the idle time of a watch. */
	setTimer?: SetTimer
	/** Source of randomness: 0 ≤ x < 1. */
	chance?: () => number
	/** First and maximum wait after a failure, in milliseconds. Default: 200 and 30 000. */
	backoff?: Waits
}

/** Counts since the start; `lists` counts how often all objects were requested, including by a watch. */
export type ReflectorCounts = { lists: number; watches: number; events: number; failures: number }

export type Reflector<T extends KubeObject, P> = {
	/** The objects of the API server, as far as they are known here. */
	store: Store<P>
	/** Takes an object from a response to this process into the store immediately, before the watch delivers it. */
	learn(object: Stored<T>): void
	/** Resolves when the store holds all objects for the first time; rejects with the signal's reason if that comes first. */
	synced: Promise<void>
	isSynced(): boolean
	/** Resolves when the signal has ended the reflector, which nothing else does. */
	done: Promise<void>
	counts: Readonly<ReflectorCounts>
}

/**
 * Keeps a store equal to the state of the API server: reads all objects, then watches from there until `signal` is aborted.
 *
 * A watch that ends is resumed where it stopped. If a resource version is too old, all objects are read again, and missing ones are
 * reported as deleted. Until all are read, the store does not change. Failures are logged and retried with back-off.
 */
export function startReflector<T extends KubeObject, P = Stored<T>>(options: ReflectorOptions<T, P>): Reflector<T, P> {
	const { signal, log, kind, onChange = () => {} } = options
	const { promise: synced, resolve, reject } = Promise.withResolvers<void>()
	synced.catch(() => {}) // callers that await it get the rejection; without one it must not end the process
	const store = createStore<P>(onChange, (error, key) => log.error({ err: error, kind: kind.kind, key }, 'bug: a change handler threw'))
	const state = startState(options, store, resolve)
	const done = Promise.all([follow(state), resync(state)]).then(() => reject(signal.reason))
	const { mirror } = state
	return { store, learn: object => learn(mirror, object), synced, isSynced: mirror.isFilled, done, counts: mirror.counts }
}

type State<T extends KubeObject, P> = {
	mirror: Mirror<T, P>
	/** Waits before all objects are read again, which is expensive. */
	relists: Backoff
	relistedAt: number
	/** How all objects are read, unless that has just failed. */
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

/** Decides what to do after a failure, and returns how long to wait before it, in milliseconds. */
function afterFailure<T extends KubeObject, P>(state: State<T, P>, error: unknown): number {
	const { mirror } = state
	const isExpired = isKubeFailure(error, 'EXPIRED')
	if (mirror.resourceVersion === undefined) mirror.way = isExpired && mirror.way !== 'stream' ? 'whole' : 'pages'
	// an error that is not a failure of the server is an unreadable event: a watch resumed from there would never get past it
	if (!isExpired && isKubeFailure(error)) return mirror.backoff.next()
	mirror.resourceVersion = undefined
	return relistWait(state)
}

/** Grows with every relist that closely follows another, even if each succeeded: a server may answer 410 to every watch. */
function relistWait<T extends KubeObject, P>(state: State<T, P>): number {
	const now = performance.now()
	if (now - state.relistedAt > forgivenMs) state.relists.reset()
	state.relistedAt = now
	return state.relists.next()
}

const forgivenMs = 120_000
