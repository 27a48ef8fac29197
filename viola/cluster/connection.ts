import type { SetTimer } from '../../runtime/clock.ts'
import { wordsOf } from '../../runtime/errors.ts'
import type { Log } from '../../runtime/log.ts'
import type { Target } from '../targets/target.ts'
import { keepTrying } from './keep-trying.ts'
import { type Borrowed, type Shared, share } from './shared.ts'

/** An open connection to a biz cluster. */
export type Opened = {
	/** URL of its API server. */
	readonly server: string
	/** Resolves when it can serve requests, for example after its node configs have been read. */
	readonly ready: Promise<void>
	close(): Promise<void>
}

export type ConnectionOptions<C> = {
	/** Must not wait for the API server. @throws Failure if the credentials cannot be used */
	open: (target: Target) => Promise<C>
	/** Must not throw. */
	close: (cluster: C) => void
	log: Log
	setTimer: SetTimer
}

/** The open cluster of one provider, and the replacement that is being opened. */
export type Connection<C> = {
	/** Sets the target to connect to. */
	set(target: Target): void
	/** Waits for the first attempt to open the cluster; if it failed, the result is its error, without waiting for the next attempt. */
	borrow(onReplaced?: () => void): Promise<Borrowed<C> | { fault: unknown }>
	/** The open cluster, if there is one. */
	current(): C | undefined
	/**
	 * Closes the cluster when its last request has ended.
	 *
	 * @param now closes it even if it is in use
	 * @returns resolves when the first attempt to open the current target has ended
	 */
	end(now?: boolean): Promise<void>
}

/** How long after a failure the next attempt to open a target begins (milliseconds). */
const RETRY_MS = 5_000

/**
 * Creates the connection of one provider.
 *
 * A change of the credentials replaces the open cluster when the new one is ready, so that no request fails. If the new credentials cannot
 * be used, the open cluster stays in use. A change to another cluster or namespace takes effect immediately, because no further node config
 * may be written to the previous one.
 */
export function connection<C extends Opened>({ open, close, log, setTimer }: ConnectionOptions<C>): Connection<C> {
	let current: { place: string; shared: Shared<C> } | undefined
	let attempts = new AbortController()
	let first: Promise<void> = Promise.resolve()
	let fault: unknown
	const replace = (next: typeof current, now = false) => {
		current?.shared.retire(now)
		current = next
	}
	const take = async (cluster: C, { place }: Target, signal: AbortSignal) => {
		if (!signal.aborted && current?.shared.cluster.server === cluster.server) await Promise.race([cluster.ready, aborted(signal)])
		if (signal.aborted) return close(cluster)
		fault = undefined
		replace({ place, shared: share(cluster, close) })
	}
	const start = (target: Target, { signal }: AbortController) => {
		const { providerId, source } = target
		const onFailure = (error: unknown) => {
			if (fault === undefined || wordsOf(error) !== wordsOf(fault))
				log.warn({ err: error, providerId, source, isOldInUse: current !== undefined }, 'a biz cluster could not be opened, retrying')
			fault = error
		}
		return keepTrying(async () => take(await open(target), target, signal), { signal, onFailure, setTimer, waitMs: RETRY_MS })
	}
	return {
		set(target) {
			attempts.abort()
			attempts = new AbortController()
			fault = undefined
			if (current?.place !== target.place) replace(undefined)
			first = start(target, attempts)
		},
		async borrow(onReplaced) {
			// if the target changes during the wait, another attempt has begun
			while (!current && fault === undefined && !attempts.signal.aborted) await first
			return current?.shared.borrow(onReplaced) ?? { fault: fault ?? 'it was removed' }
		},
		current: () => current?.shared.cluster,
		async end(now) {
			attempts.abort()
			replace(undefined, now)
			await first
		},
	}
}

function aborted(signal: AbortSignal): Promise<void> {
	return new Promise(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
}
