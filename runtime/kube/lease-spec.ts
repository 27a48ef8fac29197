import type { Lease } from './kinds.ts'

/** The spec of a Lease that has a holder. Times are RFC 3339 with microseconds, as the API requires. */
export type LeaseSpec = NonNullable<Lease['spec']>

/** A point in time as two clocks show it, in milliseconds. */
export type Moment = { monotonic: number; wall: number }

/**
 * Returns an upper bound of the elapsed time in milliseconds, even if the process or the machine was suspended in between.
 *
 * The monotonic clock of Linux stops while the machine is suspended, and the wall clock may be set back, so the larger difference is used.
 */
export function elapsed(since: Moment, now: Moment): number {
	return Math.max(now.monotonic - since.monotonic, now.wall - since.wall)
}

/** A version of the record, and when this process first observed it, by its own clock in milliseconds. */
export type Observed = { version: string; at: number }

/** Returns the current version of a record and since when it has not changed; undefined if there is no record. */
export function observe(current: Lease | undefined, last: Observed | undefined, monotonic: number): Observed | undefined {
	const version = current?.metadata.resourceVersion
	if (version === undefined) return undefined
	return last?.version === version ? last : { version, at: monotonic }
}

export type Situation = {
	current: LeaseSpec | undefined
	since: Observed | undefined
	identity: string
	leaseMs: number
	wallClock: Date
	/** Milliseconds of the same clock as `since`. */
	monotonic: number
}

/** Returns the record to write to acquire or renew the lease; undefined while another process holds it. */
export function acquiredSpec({ current, since, identity, leaseMs, wallClock, monotonic }: Situation): LeaseSpec | undefined {
	const holder = current?.holderIdentity
	const time = microTime(wallClock)
	const ours = { holderIdentity: identity, leaseDurationSeconds: Math.max(1, Math.round(leaseMs / 1_000)), renewTime: time }
	if (holder === identity) return { ...current, ...ours }
	if (holder && monotonic - (since?.at ?? monotonic) < longest(current, leaseMs)) return undefined
	return { ...current, ...ours, acquireTime: time, leaseTransitions: (current?.leaseTransitions ?? 0) + (current ? 1 : 0) }
}

/** Returns the record to write to release the lease; undefined if this process does not hold it. */
export function releasedSpec(current: LeaseSpec | undefined, identity: string, wallClock: Date): LeaseSpec | undefined {
	if (current?.holderIdentity !== identity) return undefined
	return { ...current, holderIdentity: '', leaseDurationSeconds: 1, renewTime: microTime(wallClock) }
}

/** Returns how long the record must stay unchanged: a holder with a longer lease duration keeps its duration. */
function longest(current: LeaseSpec | undefined, leaseMs: number): number {
	return Math.max(leaseMs, (current?.leaseDurationSeconds ?? 0) * 1_000)
}

function microTime(time: Date): string {
	return time.toISOString().replace('Z', '000Z')
}
