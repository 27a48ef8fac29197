import { syncBuiltinESMExports } from 'node:module'
import timers from 'node:timers/promises'
import { vi } from 'vitest'
import type { HostState } from '../../../agent/model/host-state.ts'
import type { Host } from '../../../agent/run/host.ts'
import { livingHost } from '../simulated-host.ts'

/** The operations of a run on its host that take time or may fail. */
export const OPERATIONS = [
	...(['observe', 'predictRejections', 'generate', 'prove', 'arm', 'commit', 'disarm', 'apply', 'undo'] as const),
	...(['lookUp', 'neighboursAnswer', 'echoes', 'tentativeAddresses'] as const),
] as const
export type Operation = (typeof OPERATIONS)[number]

/** One operation of a run: the `at`th of all, and the `nth` of its kind; both start at 0. */
export type Call = { what: Operation; at: number; nth: number; args: readonly unknown[] }

/** Called instead of an operation, which `act` carries out. */
export type Meddle = (call: Call, act: () => Promise<unknown>, pretended: Pretended) => Promise<unknown>

/** What happened on the host, with its state at that moment. `ok`: a commit in time. */
export type Happening = Call & { host: HostState; msLeft: number | undefined; ok?: boolean }

export type Pretended = {
	host: Host
	now(): HostState
	/** Another program changes the host. */
	put(state: HostState): void
	/** Advances the clock (milliseconds); a rollback timer that ends rolls back the host. */
	pass(milliseconds: number): void
	/** Whether an undo is on the host and not applied. */
	isArmed(): boolean
	/** Whether the rollback timer has ended since the host was last armed. */
	hasTimerEnded(): boolean
	happened: Happening[]
}

/**
 * A modeled host with a rollback timer, in which a test can intercept each operation of a run. Its clock is that of `performance`. The
 * timer ends a moment after the time that the host returns, because it starts a moment after that time is determined.
 */
export function pretendedHost(start: HostState, meddle: Meddle = (_, act) => act()): Pretended {
	const { host, now, put } = livingHost(start)
	let armed: Parameters<Host['undo']>[0] | undefined
	let ends = 0
	const rollBackIfDue = () => {
		if (armed === undefined || performance.now() <= ends) return
		void host.undo(armed)
		armed = undefined
	}
	const timed: Host = {
		...host,
		arm: async ({ undo, tag, commitTimeoutSeconds }) => {
			armed = undo
			ends = performance.now() + commitTimeoutSeconds * 1000
			return { undo, tag, ends }
		},
		isArmed: () => armed !== undefined,
		commit: async () => {
			rollBackIfDue()
			const isInTime = armed !== undefined
			armed = undefined
			return isInTime
		},
		disarm: async () => {
			armed = undefined
		},
	}
	const pass = (milliseconds: number) => {
		skipped += milliseconds
		rollBackIfDue()
	}
	const happened: Happening[] = []
	const pretended: Pretended = {
		host: timed,
		now,
		put,
		pass,
		isArmed: () => armed !== undefined,
		hasTimerEnded: () => performance.now() > ends,
		happened,
	}
	const watched = (what: Operation) => {
		return async (...args: readonly never[]) => {
			const call = { what, at: happened.length, nth: happened.filter(one => one.what === what).length, args }
			const happening: Happening = { ...call, host: now(), msLeft: armed && ends - performance.now() }
			happened.push(happening)
			const result = await meddle(call, () => (timed[what] as (...all: readonly never[]) => Promise<unknown>)(...args), pretended)
			if (what === 'commit') happening.ok = result === true
			return result
		}
	}
	return { ...pretended, host: { ...timed, ...(Object.fromEntries(OPERATIONS.map(what => [what, watched(what)])) as Partial<Host>) } }
}

let skipped = 0

/**
 * From now on, the clock advances only by `pass` and by each pause of a run, which does not really wait. For `beforeEach`, which calls the
 * returned function.
 */
export function pretendClock(): () => void {
	const start = performance.now()
	const paused: { until: number; end(): void }[] = []
	skipped = 0
	vi.spyOn(performance, 'now').mockImplementation(() => start + skipped)
	const endFirst = () => {
		const [first] = paused.sort((a, b) => a.until - b.until).splice(0, 1)
		if (!first) return
		skipped = Math.max(skipped, first.until)
		first.end()
	}
	vi.spyOn(timers, 'setTimeout').mockImplementation(async (milliseconds, value) => {
		await new Promise<void>(end => {
			paused.push({ until: skipped + (milliseconds ?? 0), end })
			setImmediate(endFirst)
		})
		return value as never
	})
	syncBuiltinESMExports()
	return () => {
		vi.restoreAllMocks()
		syncBuiltinESMExports()
	}
}
