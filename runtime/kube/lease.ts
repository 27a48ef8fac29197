import { deadline, sleep } from '../clock.ts'
import type { Log } from '../log.ts'
import type { KubeClient } from './client.ts'
import { isKubeFailure } from './failures.ts'
import type { Name, Stored } from './kind.ts'
import { Lease } from './kinds.ts'
import { type Claim, claim, release, type Seen, seen } from './lease-rules.ts'

export type ElectionOptions = {
	client: KubeClient
	/** Which Lease. */
	at: Required<Name>
	/** Who we are; no other process may say the same: host name and a random part. */
	identity: string
	log: Log
	signal: AbortSignal
	/** Told when this process begins and ends to lead. */
	onChange?: (leads: boolean) => void
	/** How long a lease holds without renewal, how long renewing may fail, how often it is tried; milliseconds. Default: 15, 10 and 2 s. */
	times?: ElectionTimes
}

export type ElectionTimes = { leaseMs: number; renewMs: number; retryMs: number }

/**
 * Waits until this process leads, runs `lead` while it does, and gives the lease back at the end.
 *
 * The rules are client-go's: a foreign lease is only taken when its record has not changed for a whole lease time by *our* clock, so
 * that clocks may differ. A leader that cannot renew for `renewMs` stops leading before another may begin: `lead`'s signal is aborted.
 *
 * @param lead its signal is aborted when the process stops or the lease is lost
 * @returns whether the lease was lost; false: `signal` ended it, or `lead` returned by itself
 */
export async function leadWhileElected(options: ElectionOptions, lead: (signal: AbortSignal) => Promise<void>): Promise<{ lost: boolean }> {
	const { signal, log, identity, onChange } = options
	if (!(await acquire(options))) return { lost: false }
	log.info({ lease: options.at.name, identity }, 'leading')
	onChange?.(true)
	const term = deadline(0, signal)
	const kept = keep(options, term.signal).then(lost => {
		if (lost) term.abort(new Error('the lease is lost'))
		return lost
	})
	try {
		await lead(term.signal)
	} finally {
		term.abort(new Error('no longer leading'))
		term.clear()
		onChange?.(false)
		if (!(await kept)) await giveBack(options)
	}
	return { lost: await kept }
}

const defaults: ElectionTimes = { leaseMs: 15_000, renewMs: 10_000, retryMs: 2_000 }

/** @returns false when the signal came first */
async function acquire(options: ElectionOptions): Promise<boolean> {
	const { signal, log, times = defaults } = options
	let last: Seen | undefined
	while (!signal.aborted) {
		try {
			const round = await tryOnce(options, last)
			if (round.result === 'won') return true
			last = round.seen
		} catch (error) {
			if (!signal.aborted) log.warn({ err: error, lease: options.at.name }, 'could not ask for the lease')
		}
		await sleep(times.retryMs * (1 + 0.2 * Math.random()), signal)
	}
	return false
}

/** Renews until the signal ends it (false), or until another holds the lease or renewing failed for too long (true). */
async function keep(options: ElectionOptions, signal: AbortSignal): Promise<boolean> {
	const { times = defaults } = options
	let renewedAt = performance.now()
	while (await sleep(times.retryMs, signal)) {
		const startedAt = performance.now()
		const result = await renew(options, signal, times.renewMs - (startedAt - renewedAt))
		if (signal.aborted) return false
		if (result === 'held' || result === 'late') return true
		if (result === 'won') renewedAt = startedAt
	}
	return false
}

/** late: the time left to renew it is over */
async function renew(options: ElectionOptions, signal: AbortSignal, leftMs: number): Promise<Round['result'] | 'late'> {
	const limit = deadline(Math.max(1, leftMs), signal)
	try {
		return (await tryOnce({ ...options, signal: limit.signal }, undefined)).result
	} catch (error) {
		if (!signal.aborted) options.log.warn({ err: error, lease: options.at.name, leftMs: Math.round(leftMs) }, 'could not renew the lease')
		return limit.expired() ? 'late' : 'raced'
	} finally {
		limit.clear()
	}
}

/** won: it is ours · held: another has it · raced: not written this time, somebody or something was in the way */
type Round = { result: 'won' | 'held' | 'raced'; seen: Seen | undefined }

async function tryOnce(options: ElectionOptions, last: Seen | undefined): Promise<Round> {
	const { client, at, times = defaults, identity, signal } = options
	const current = await client.find(Lease, at, { signal, timeoutMs: callMs(times) })
	const monotonic = performance.now()
	const since = seen(current, last, monotonic)
	const wanted = claim({ current: current?.spec, since, identity, leaseMs: times.leaseMs, wallClock: new Date(), monotonic })
	if (!wanted) return { result: 'held', seen: since }
	return { result: await write(options, current, wanted), seen: since }
}

async function write(options: ElectionOptions, current: Stored<Lease> | undefined, spec: Claim): Promise<'won' | 'raced'> {
	const { client, at, signal, times = defaults } = options
	const call = { signal, timeoutMs: callMs(times) }
	try {
		if (current) await client.replace(Lease, { ...current, spec }, call)
		else await client.create(Lease, { metadata: { ...at }, spec }, call)
		return 'won'
	} catch (error) {
		if (isKubeFailure(error, 'CONFLICT', 'ALREADY_EXISTS')) return 'raced'
		throw error
	}
}

/** A call that hangs must leave time for another one before the lease is lost. */
function callMs({ renewMs }: ElectionTimes): number {
	return Math.max(1_000, renewMs / 2)
}

/** So that the next one need not wait. Best effort: without it the lease runs out by itself. */
async function giveBack({ client, at, identity, log }: ElectionOptions): Promise<void> {
	try {
		const current = await client.find(Lease, at, { timeoutMs: 3_000 })
		const spec = release(current?.spec, identity, new Date())
		if (current && spec) await client.replace(Lease, { ...current, spec }, { timeoutMs: 3_000 })
		log.info({ lease: at.name }, 'lease given back')
	} catch (error) {
		log.warn({ err: error, lease: at.name }, 'could not give the lease back; it runs out by itself')
	}
}
