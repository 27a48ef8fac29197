import { sleep } from '../clock.ts'
import { Failure } from '../errors.ts'
import { createBackoff } from './backoff.ts'
import { isKubeFailure, retryAfterOf } from './failures.ts'
import type { KubeObject, Stored } from './kind.ts'
import { list, observeWrite, watch } from './list-and-watch.ts'
import type { ListMode, ReflectorCounts, ReflectorOptions, ReflectorState, RunningReflector } from './reflector-state.ts'
import { createStore, type MutableStore, type Store } from './store.ts'
import { createWriteOverlay } from './write-overlay.ts'

export type Reflector<T extends KubeObject, P> = {
	/** The objects of the API server, as last received by this process. */
	store: Store<P>
	/** Stores an object from the response to a request of this process immediately, before the watch delivers it. */
	observeWrite(object: Stored<T>): void
	/** Resolves when the store holds all objects for the first time; rejects with the signal's reason if the signal is aborted first. */
	synced: Promise<void>
	isSynced(): boolean
	/**
	 * When the API server last confirmed that the store is current, on the clock of `performance.now()`: by a list, the opening of a watch, an
	 * event or a bookmark. Undefined before the first list. Responses to other requests do not count, because the watch may be dead.
	 */
	heardMs(): number | undefined
	/** Resolves when the reflector has ended. Only the signal ends it. */
	done: Promise<void>
	counts: Readonly<ReflectorCounts>
}

/**
 * Keeps a store in sync with the API server: reads all objects, then watches for changes until `signal` is aborted.
 *
 * A watch that ends is resumed where it stopped. If a resource version is too old, all objects are read again, and missing objects are
 * reported as deleted. Until all objects have been read, the store does not change. Failures are logged and retried with back-off.
 */
export function startReflector<T extends KubeObject, P = Stored<T>>(options: ReflectorOptions<T, P>): Reflector<T, P> {
	const { signal, log, kind, onChange = () => {} } = options
	const { promise: synced, resolve, reject } = Promise.withResolvers<void>()
	synced.catch(() => {}) // callers that await it get the rejection; without such a caller, the rejection must not end the process
	const store = createStore<P>(onChange, (error, key) => log.error({ err: error, kind: kind.kind, key }, 'bug: a change handler threw'))
	const running = createRunning(options, store, resolve)
	const done = Promise.all([follow(running), resync(running)]).then(() => reject(signal.reason))
	return {
		...{ store, synced, done, counts: running.counts },
		observeWrite: object => observeWrite(running, object),
		isSynced: () => running.state.phase !== 'listing',
		heardMs: () => running.heardMs,
	}
}

function createRunning<T extends KubeObject, P>(
	options: ReflectorOptions<T, P>,
	store: MutableStore<P>,
	onReplaced: () => void,
): RunningReflector<T, P> {
	const times = { firstMs: 200, maxMs: 30_000, ...options.backoff, chance: options.chance ?? Math.random }
	const usualMode = options.listMode ?? 'watchlist'
	return {
		options,
		store,
		overlay: createWriteOverlay<P>(),
		counts: { lists: 0, watches: 0, events: 0, failures: 0 },
		state: { phase: 'listing', listMode: usualMode },
		usualMode,
		backoff: createBackoff(times),
		relistBackoff: createBackoff(times),
		relistedAt: Number.NEGATIVE_INFINITY,
		heardMs: undefined,
		onReplaced,
	}
}

async function follow<T extends KubeObject, P>(running: RunningReflector<T, P>): Promise<void> {
	const { signal } = running.options
	while (!signal.aborted) {
		const { state } = running
		try {
			if (state.phase === 'watching' || state.listMode === 'watchlist') await watch(running)
			else await list(running, state.listMode)
		} catch (error) {
			if (!signal.aborted) await recover(running, error)
		}
	}
}

async function resync<T extends KubeObject, P>({ options, store }: RunningReflector<T, P>): Promise<void> {
	const { resyncMs = 0, chance = Math.random, signal } = options
	while (resyncMs > 0 && (await sleep(resyncMs * (0.9 + 0.2 * chance()), signal))) store.resync()
}

async function recover<T extends KubeObject, P>(running: RunningReflector<T, P>, error: unknown): Promise<void> {
	const { options, state, counts } = running
	const { log, kind, signal } = options
	if (isIdle(error) && state.phase === 'watching') return log.debug({ kind: kind.kind }, 'watch idle, reconnecting')
	if (isWatchListRefused(running, error)) {
		running.usualMode = 'paged'
		running.state = listAgain(running, 'paged')
		return log.info({ err: error, kind: kind.kind }, 'API server does not support WatchList, falling back to LIST')
	}
	counts.failures++
	const waitMs = Math.round(Math.max(afterFailure(running, error), Math.min(retryAfterOf(error), 60_000)))
	const next = running.state.phase === 'watching' ? 'watch' : running.state.listMode
	log.warn({ err: error, kind: kind.kind, waitMs, next }, 'list or watch failed, retrying')
	await sleep(waitMs, signal)
}

function isIdle(error: unknown): boolean {
	return error instanceof Failure && error.facts.silent === true
}

function isWatchListRefused<T extends KubeObject, P>({ state }: RunningReflector<T, P>, error: unknown): boolean {
	return state.phase !== 'watching' && state.listMode === 'watchlist' && isKubeFailure(error, 'BAD_REQUEST', 'INVALID')
}

/** Returns the state in which all objects are read, for the first time or again. */
function listAgain<T extends KubeObject, P>({ state }: RunningReflector<T, P>, listMode: ListMode): ReflectorState {
	return { phase: state.phase === 'listing' ? 'listing' : 'relisting', listMode }
}

/** Sets the next state after a failure, and returns how long to wait before continuing, in milliseconds. */
function afterFailure<T extends KubeObject, P>(running: RunningReflector<T, P>, error: unknown): number {
	const { state } = running
	const isExpired = isKubeFailure(error, 'EXPIRED')
	// any other error means an event that cannot be decoded: a watch that resumes there would fail at the same event every time
	const mustRelist = isExpired || !isKubeFailure(error)
	if (state.phase !== 'watching') running.state = listAgain(running, isExpired && state.listMode !== 'watchlist' ? 'single' : 'paged')
	else if (mustRelist) running.state = listAgain(running, running.usualMode)
	return mustRelist ? relistWait(running) : running.backoff.next()
}

/** Returns the wait before a relist. It grows while relists follow each other closely, because a server may answer 410 to every watch. */
function relistWait<T extends KubeObject, P>(running: RunningReflector<T, P>): number {
	const now = performance.now()
	if (now - running.relistedAt > forgivenMs) running.relistBackoff.reset()
	running.relistedAt = now
	return running.relistBackoff.next()
}

const forgivenMs = 120_000
