import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import type { UndoStep } from '../../../agent/model/change.ts'
import { failure } from '../../../agent/model/failure.ts'
import type { HostState } from '../../../agent/model/host-state.ts'
import { plan } from '../../../agent/plan/plan.ts'
import { type Interface, settle } from '../../../contract/interface.ts'
import { comparable } from '../simulated-host.ts'
import { type Call, type Happening, type Meddle, pretendClock } from './pretended-host.ts'
import { fails, nic, type Ran, ranOn } from './pretended-run.ts'

/** A run in which any operation fails, alone or after another one. The same invariants hold for every failure. */

beforeEach(pretendClock)

/** Two interfaces were desired before. Now one has another address, one is no longer desired, and one is new. */
const former = [nic(0), nic(1)]
const wish = [nic(0, { address: '10.0.0.24' }), nic(2)]

/** What may happen to an operation. */
const faults = {
	'fails before it does anything': () => Promise.reject(fails()),
	'fails after it is done': async (_, act) => {
		await act()
		throw fails()
	},
	'fails because of an interface': async (_, act) => {
		await act()
		throw failure('COMMAND_FAILED', 'ip link set dev if7 up: no', { id: 2 })
	},
	'ends with a bug': async (_, act) => {
		await act()
		throw new TypeError('an unexpected error')
	},
	'is only half done': halfDone,
	'is done except for the last change': async ({ what, args }, act, { host }) => {
		if (what !== 'apply' && what !== 'undo') return act()
		const [steps = []] = args as [(readonly UndoStep[])?]
		return host[what](steps.slice(0, -1))
	},
	'takes 58 s': async (_, act, { pass }) => {
		const result = await act()
		pass(58_000)
		return result
	},
	'takes 61 s': async (_, act, { pass }) => {
		pass(61_000)
		return act()
	},
	'gets no answer': async ({ what }, act, { pass }) => {
		const result = await act()
		if (what !== 'neighboursAnswer') return result
		pass(5_000)
		return (result as boolean[]).map(() => false)
	},
} satisfies Record<string, Meddle>
type Kind = keyof typeof faults
const kinds = Object.keys(faults) as Kind[]

/** Makes half of the changes. An undo returns what it could not do; all other operations fail. */
async function halfDone({ what, args }: Call, act: () => Promise<unknown>, { host, now }: Parameters<Meddle>[2]): Promise<unknown> {
	const [steps = []] = args as [(readonly UndoStep[])?]
	if (what === 'undo') {
		await host.undo(steps.slice(0, steps.length / 2))
		return ['ip: no']
	}
	if (what !== 'apply') return act()
	await host.apply(steps.slice(0, steps.length / 2)).catch(() => now())
	throw fails()
}

type Fault = { at: number; kind: Kind }

function withFaults(...all: Fault[]): Meddle {
	return (call, act, pretended) => {
		const fault = all.find(({ at }) => at === call.at)
		return fault ? (faults[fault.kind] as Meddle)(call, act, pretended) : act()
	}
}

const start = (await ranOn({ wish: former })).pretended.now()
const ranWith = (...all: Fault[]) => ranOn({ start, wish, meddle: withFaults(...all) })

/** Invariant → what violates it in a run. */
const laws: Record<string, (ran: Ran) => readonly unknown[]> = {
	'no interface is Configured on a node that is not as desired': ({ report, pretended }) => {
		const claimed = (report?.interfaces ?? []).filter(({ state }) => state === 'Configured').map(({ id }) => id)
		const isAll = report?.outcome === 'Succeeded'
		return left(pretended.now()).filter(id => (id === undefined ? isAll : claimed.includes(id)))
	},
	'a run that is RolledBack leaves the host as it was': ({ report, pretended }) =>
		report?.outcome === 'RolledBack' && isOther(pretended.now(), start) ? ['other'] : [],
	// After a bug, nothing is compared: the undo reports whether it is complete, and the host stays armed.
	'an attempt that reports a rollback leaves the host as it was': ({ said, happened, bug }) =>
		bug !== undefined
			? []
			: said.filter(({ head, host, operations }) => head === 'rolled back' && isOther(host, lastArmed(happened, operations)?.host)),
	'after an incomplete rollback the run is NotRestored, and there is no next attempt': ran => {
		const stuck = ran.said.find(({ head }) => head === 'NOT rolled back')
		if (!stuck || ran.bug !== undefined) return []
		const { outcome, reason, changes } = ran.report ?? {}
		const after = ran.happened.slice(stuck.operations).filter(({ what }) => ['arm', 'apply', 'commit', 'disarm'].includes(what))
		const isSaid = outcome === 'Failed' && changes === 0 && (reason === 'NotRestored' || reason === 'ConnectivityLost')
		return isSaid ? after : [...after, outcome, reason]
	},
	'a run that neither commits nor leaves the host as it was is NotRestored': ({ report, happened, pretended }) => {
		const { outcome, reason } = report ?? {}
		if (!report || isCommitted(happened) || !isOther(pretended.now(), lastArmed(happened)?.host)) return []
		return outcome === 'Failed' && (reason === 'NotRestored' || reason === 'ConnectivityLost') ? [] : [outcome, reason]
	},
	'an attempt is committed at most once, and in time': ({ happened }) =>
		happened.filter(({ what, ok, at, msLeft = -1 }) => {
			const before = happened.slice(0, at).findLast(one => one.what === 'arm' || one.what === 'commit')
			return what === 'commit' && (before?.what !== 'arm' || (ok === true && msLeft <= 0))
		}),
	'the timer is disarmed only if the host is as it was': ({ happened }) =>
		happened.filter(({ what, host, at }) => what === 'disarm' && isOther(host, lastArmed(happened, at)?.host)),
	'a host that is not as it was after an uncommitted run is armed, unless its timer has ended': ({ happened, pretended }) => {
		const isOver = isCommitted(happened) || hasCommitFailed(happened) || pretended.isArmed() || pretended.hasTimerEnded()
		return !isOver && isOther(pretended.now(), lastArmed(happened)?.host) ? ['unarmed'] : []
	},
	'nothing is changed after the timer has ended': ({ happened }) =>
		happened.filter(({ what, at, msLeft }) => what === 'apply' && msLeft === undefined && happened[at - 1]?.what !== 'apply'),
}

/** @returns the ids of the interfaces that a further run would change */
function left(host: HostState): (number | undefined)[] {
	const wanted = { interfaces: settle(wish as Interface[]), nodeAddresses: [], kinds: new Set(['hardware']), failed: new Map() }
	return plan(wanted, host, {}).steps.map(({ id }) => id)
}

function isOther(host: HostState, before: HostState | undefined): boolean {
	return before !== undefined && JSON.stringify(comparable(host)) !== JSON.stringify(comparable(before))
}

function lastArmed(happened: readonly Happening[], at = happened.length): Happening | undefined {
	return happened.slice(0, at).findLast(({ what }) => what === 'arm')
}

/** Whether the last attempt was committed. */
function isCommitted(happened: readonly Happening[]): boolean {
	return happened.slice(lastArmed(happened)?.at).some(({ ok }) => ok)
}

/** Whether the last commit ended with an error: it may have removed the undo from the host before. */
function hasCommitFailed(happened: readonly Happening[]): boolean {
	return happened.slice(lastArmed(happened)?.at).some(({ what, ok }) => what === 'commit' && ok === undefined)
}

/** @returns each invariant that a run violates, with what violates it */
function broken(ran: Ran): Record<string, readonly unknown[]> {
	return Object.fromEntries(Object.entries(laws).flatMap(([law, breaks]) => (breaks(ran).length > 0 ? [[law, breaks(ran)]] : [])))
}

const operations = (await ranOn({ start, wish })).happened
const failed = await ranWith({ at: operations.findIndex(({ what }) => what === 'apply'), kind: 'fails after it is done' })

test('without a fault the run is committed, and after one it is rolled back', async () => {
	const { report } = await ranOn({ start, wish })
	expect(report).toMatchObject({ outcome: 'Succeeded', message: 'Configured 2/2' })
	expect(operations.map(({ what }) => what)).toEqual(expect.arrayContaining(['observe', 'arm', 'apply', 'lookUp', 'commit']))
	expect(failed.happened.map(({ what }) => what)).toEqual(expect.arrayContaining(['undo', 'disarm']))
})

describe('the invariants hold if', () => {
	test.each(operations.flatMap(({ what, nth, at }) => kinds.map(kind => [what, nth + 1, kind, at] as const)))(
		'%s number %i %s',
		async (_what, _nth, kind, at) => {
			expect(broken(await ranWith({ at, kind }))).toEqual({})
		},
	)
})

describe('the invariants hold if the changes failed and then', () => {
	const apply = operations.findIndex(({ what }) => what === 'apply')
	test.each(failed.happened.slice(apply + 1).flatMap(({ what, nth, at }) => kinds.map(kind => [what, nth + 1, kind, at] as const)))(
		'%s number %i %s',
		async (_what, _nth, kind, at) => {
			expect(broken(await ranWith({ at: apply, kind: 'fails after it is done' }, { at, kind }))).toEqual({})
		},
	)
})

test('the invariants hold with any combination of faults', async () => {
	const any = fc.array(fc.record({ at: fc.nat(40), kind: fc.constantFrom(...kinds) }), { minLength: 2, maxLength: 5 })
	const holds = fc.asyncProperty(any, async all => {
		expect(broken(await ranWith(...all))).toEqual({})
	})
	await fc.assert(holds, { numRuns: 300 })
})
