import type { Lease } from './kinds.ts'

/** What a Lease says while somebody holds it. Times are RFC 3339 with microseconds, as the API wants them. */
export type Claim = NonNullable<Lease['spec']>

/** One moment by two clocks, in milliseconds. */
export type Moment = { monotonic: number; wall: number }

/**
 * How much time has surely not been more than this, in milliseconds, whatever stood still in between.
 *
 * The monotonic clock of Linux does not run while the machine sleeps, and the wall clock may be set back: the longer of both counts.
 */
export function elapsed(since: Moment, now: Moment): number {
	return Math.max(now.monotonic - since.monotonic, now.wall - since.wall)
}

/** A version of the record, and when we saw it first by our own clock, in milliseconds. */
export type Seen = { version: string; at: number }

/** Remembers since when a record has not changed. */
export function seen(current: Lease | undefined, last: Seen | undefined, monotonic: number): Seen | undefined {
	const version = current?.metadata.resourceVersion
	if (version === undefined) return undefined
	return last?.version === version ? last : { version, at: monotonic }
}

export type Situation = {
	current: Claim | undefined
	since: Seen | undefined
	identity: string
	leaseMs: number
	wallClock: Date
	/** Milliseconds of the clock `since` was read from. */
	monotonic: number
}

/** The record to write to have the lease; undefined while another holds it. */
export function claim({ current, since, identity, leaseMs, wallClock, monotonic }: Situation): Claim | undefined {
	const holder = current?.holderIdentity
	const time = microTime(wallClock)
	const mine = { holderIdentity: identity, leaseDurationSeconds: Math.max(1, Math.round(leaseMs / 1_000)), renewTime: time }
	if (holder === identity) return { ...current, ...mine }
	if (holder && monotonic - (since?.at ?? monotonic) < longest(current, leaseMs)) return undefined
	return { ...current, ...mine, acquireTime: time, leaseTransitions: (current?.leaseTransitions ?? 0) + (current ? 1 : 0) }
}

/** The record to write when we give up what we hold; undefined where it is not ours. */
export function release(current: Claim | undefined, identity: string, wallClock: Date): Claim | undefined {
	if (current?.holderIdentity !== identity) return undefined
	return { ...current, holderIdentity: '', leaseDurationSeconds: 1, renewTime: microTime(wallClock) }
}

/** A holder with a longer lease than ours must be given its own time. */
function longest(current: Claim | undefined, leaseMs: number): number {
	return Math.max(leaseMs, (current?.leaseDurationSeconds ?? 0) * 1_000)
}

function microTime(time: Date): string {
	return time.toISOString().replace('Z', '000Z')
}
