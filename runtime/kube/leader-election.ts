import { deadline, sleep } from '../clock.ts'
import { Failure } from '../errors.ts'
import type { Log } from '../log.ts'
import type { KubeClient } from './client.ts'
import { isKubeFailure } from './failures.ts'
import type { Name, Stored } from './kind.ts'
import { Lease } from './kinds.ts'
import { type LeaseSpec, acquiredSpec, elapsed, type Moment, releasedSpec, type Observed, observe } from './lease-spec.ts'

export type ElectionOptions = {
	/** A client without a write guard, because its own requests decide whether guarded clients may write. */
	client: KubeClient
	/** Namespace and name of the Lease. */
	at: Required<Name>
	/** Identity of this process, unique among all processes: host name and a random part. */
	identity: string
	log: Log
	signal: AbortSignal
	/** Called when this process starts and stops leading. */
	onChange?: (leads: boolean) => void
	/** Called when a renewal must read the lease again because another client has written it. */
	onSlowPath?: () => void
	/** Lease duration, renew deadline and retry period in milliseconds. Default: 15, 10 and 2 s. */
	times?: ElectionTimes
	now?: () => Moment
}

export type ElectionTimes = { leaseMs: number; renewMs: number; retryMs: number }

/**
 * The work of a leader.
 *
 * @param signal aborted when the process stops or the lease is lost; if the process only stops, the lease is kept until this function has
 * returned
 * @param isLeading reads the clock, and returns false as soon as another process may hold the lease. A suspended process resumes before
 * its timers fire, so this must be called immediately before anything that two processes must not both do
 */
export type Lead = (signal: AbortSignal, isLeading: () => boolean) => Promise<void>

/**
 * Waits until this process leads, runs `lead` while it does, and releases the lease at the end.
 *
 * The rules are client-go's: this process acquires the lease of another process only if its record has not changed for a whole lease
 * duration by the *local* clock, so that clocks may differ. A leader that cannot renew for `renewMs` stops leading before another process
 * may start: the signal of `lead` is aborted.
 *
 * @returns whether the lease was lost; false if `signal` was aborted or `lead` returned
 */
export async function leadWhileElected(options: ElectionOptions, lead: Lead): Promise<{ lost: boolean }> {
	const { signal, log, identity, onChange, times = defaults, now = systemNow } = options
	const hold = await acquire(options)
	if (!hold) return { lost: false }
	log.info({ lease: options.at.name, identity }, 'leading')
	onChange?.(true)
	const term = deadline(0, signal)
	const over = new AbortController()
	let isLost = false
	const kept = renewUntilLost(options, hold, over.signal).then(lost => {
		isLost = lost
		if (lost) term.abort(new Failure('LEASE_LOST', 'lost lease', { retry: true }))
	})
	try {
		await lead(term.signal, () => !isLost && !over.signal.aborted && elapsed(hold.renewed, now()) < times.renewMs)
	} finally {
		over.abort(new Error('lost leadership'))
		term.clear()
		onChange?.(false)
		await kept
		if (!isLost) await releaseLease(options)
	}
	return { lost: isLost }
}

const defaults: ElectionTimes = { leaseMs: 15_000, renewMs: 10_000, retryMs: 2_000 }
const systemNow = (): Moment => ({ monotonic: performance.now(), wall: Date.now() })

/** A lease that this process holds: the last written record, and when that renewal began. */
type HeldLease = { record: Stored<Lease>; renewed: Moment }

/** Waits until this process holds the lease. @returns undefined if the signal was aborted first */
async function acquire(options: ElectionOptions): Promise<HeldLease | undefined> {
	const { signal, log, times = defaults } = options
	let last: Observed | undefined
	while (!signal.aborted) {
		try {
			const round = await tryOnce(options, last)
			if (round.hold) return round.hold
			last = round.observed
		} catch (error) {
			if (!signal.aborted) log.warn({ err: error, lease: options.at.name }, 'failed to acquire lease')
		}
		await sleep(times.retryMs * (1 + 0.2 * Math.random()), signal)
	}
	return undefined
}

/** @returns false when the signal is aborted, true when another process holds the lease or renewals have failed for too long */
async function renewUntilLost(options: ElectionOptions, hold: HeldLease, signal: AbortSignal): Promise<boolean> {
	const { times = defaults, now = systemNow } = options
	while (await sleep(times.retryMs, signal)) {
		const leftMs = times.renewMs - elapsed(hold.renewed, now())
		const renewed = await renew(options, hold, signal, leftMs)
		if (signal.aborted) return false
		if (renewed === 'held' || renewed === 'late') {
			options.log.warn({ lease: options.at.name, leftMs: Math.round(leftMs), renewed }, 'lost lease')
			return true
		}
		if (renewed !== 'raced') Object.assign(hold, renewed)
	}
	return false
}

/**
 * held: another process holds the lease · raced: this attempt failed, but there is time for another one · late: the renew deadline has
 * passed. After a suspension, one more attempt is made: it succeeds only if the record still names this process, which proves that no other
 * process has led in the meantime.
 */
async function renew(
	options: ElectionOptions,
	hold: HeldLease,
	signal: AbortSignal,
	leftMs: number,
): Promise<HeldLease | 'held' | 'raced' | 'late'> {
	const limit = deadline(leftMs > 0 ? leftMs : callMs(options.times ?? defaults), signal)
	try {
		const limited = { ...options, signal: limit.signal }
		const fast = await rewrite(limited, hold)
		if (fast) return fast
		options.onSlowPath?.()
		const round = await tryOnce(limited, undefined, true)
		return round.hold ?? (round.isHeld ? 'held' : 'raced')
	} catch (error) {
		if (!signal.aborted) options.log.warn({ err: error, lease: options.at.name, leftMs: Math.round(leftMs) }, 'failed to renew lease')
		return limit.expired() || leftMs <= 0 ? 'late' : 'raced'
	} finally {
		limit.clear()
	}
}

/** Renews the last written record without reading it first. */
async function rewrite(options: ElectionOptions, { record }: HeldLease): Promise<HeldLease | undefined> {
	const { identity, times = defaults, now = systemNow } = options
	const renewed = now()
	const since = { version: record.metadata.resourceVersion, at: renewed.monotonic }
	const clocks = { wallClock: new Date(renewed.wall), monotonic: renewed.monotonic, leaseMs: times.leaseMs }
	const wanted = acquiredSpec({ current: record.spec, since, identity, ...clocks })
	const written = wanted && (await write(options, record, wanted))
	return written && { record: written, renewed }
}

/** hold: this process now holds the lease · isHeld: another process holds it · neither: a concurrent write prevented this one */
type Round = { hold?: HeldLease | undefined; isHeld: boolean; observed: Observed | undefined }

/** @param mustBeOurs only renews: a lease that another process has acquired and released in the meantime is treated as lost */
async function tryOnce(options: ElectionOptions, last: Observed | undefined, mustBeOurs = false): Promise<Round> {
	const { client, at, times = defaults, identity, signal, now = systemNow } = options
	const renewed = now()
	const current = await client.find(Lease, at, { signal, timeoutMs: callMs(times), urgent: true })
	if (mustBeOurs && current && current.spec?.holderIdentity !== identity) return { isHeld: true, observed: undefined }
	const { monotonic, wall } = now()
	const since = observe(current, last, monotonic)
	const wanted = acquiredSpec({ current: current?.spec, since, identity, leaseMs: times.leaseMs, wallClock: new Date(wall), monotonic })
	if (!wanted) return { isHeld: true, observed: since }
	const record = await write(options, current, wanted)
	return { hold: record && { record, renewed }, isHeld: false, observed: since }
}

/** @returns undefined if another client wrote or deleted the lease in the meantime */
async function write(options: ElectionOptions, current: Stored<Lease> | undefined, spec: LeaseSpec): Promise<Stored<Lease> | undefined> {
	const { client, at, signal, times = defaults } = options
	const call = { signal, timeoutMs: callMs(times), urgent: true }
	try {
		if (current) return await client.replace(Lease, { ...current, spec }, call)
		return await client.create(Lease, { metadata: { ...at }, spec }, call)
	} catch (error) {
		if (isKubeFailure(error, 'CONFLICT', 'ALREADY_EXISTS', 'NOT_FOUND')) return undefined
		throw error
	}
}

/** Returns the time limit of a call: a call that hangs must leave time for another one before the lease is lost. */
function callMs({ renewMs }: ElectionTimes): number {
	return Math.max(1_000, renewMs / 2)
}

/** Releases the lease, so that the next leader does not have to wait until it expires. Best effort. */
async function releaseLease({ client, at, identity, log }: ElectionOptions): Promise<void> {
	try {
		const current = await client.find(Lease, at, { timeoutMs: 3_000, urgent: true })
		const spec = releasedSpec(current?.spec, identity, new Date())
		if (current && spec) await client.replace(Lease, { ...current, spec }, { timeoutMs: 3_000, urgent: true })
		log.info({ lease: at.name }, 'released lease')
	} catch (error) {
		log.warn({ err: error, lease: at.name }, 'failed to release lease, it will expire')
	}
}
