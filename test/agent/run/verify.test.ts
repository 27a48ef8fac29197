import { beforeEach, describe, expect, test } from 'vitest'
import type { Refusal } from '../../../agent/model/check.ts'
import { blamed, type Code, isFailure } from '../../../agent/model/failure.ts'
import type { HostState } from '../../../agent/model/host-state.ts'
import { generated } from '../../../agent/model/paths.ts'
import type { NodePath } from '../../../agent/probe/node-paths.ts'
import type { AttemptInput } from '../../../agent/run/attempt-input.ts'
import {
	assertNotRoutedElsewhere,
	assertNothingLost,
	assertPathsAnswer,
	assertRoutesKept,
	ignoringNewLinks,
} from '../../../agent/run/verify.ts'
import type { Failure } from '../../../runtime/errors.ts'
import { mac, planWith } from './pretended-attempt.ts'
import { type Meddle, pretendClock } from './pretended-host.ts'
import { node, orderOf, ranOn, route, tookMs, withLink, withRoutes, wordsOf } from './pretended-run.ts'

/** What is checked after the changes of an attempt, before they are committed. */

const refusal: Refusal = { reason: 'InUse', message: 'used by another program' }
const pathLost: Refusal = { reason: 'ConnectivityLost', message: '' }

describe('a host after the changes', () => {
	beforeEach(pretendClock)

	/** The host has another state at these checks. */
	const seen = (change: (state: HostState) => HostState, ...checks: number[]): Meddle => {
		let nth = 0
		return async ({ what }, act, { happened }) => {
			const state = (await act()) as HostState
			const isChanged = happened.some(one => one.what === 'apply') && !happened.some(one => one.what === 'undo')
			if (what !== 'observe' || !isChanged) return state
			nth++
			return checks.includes(nth) ? change(state) : state
		}
	}
	const isDown =
		(...links: number[]) =>
		(state: HostState) =>
			links.reduce((now, link) => withLink(now, link, { up: false }), state)
	const hasAddress = (state: HostState) => {
		const addresses = state.links.flatMap(link => (link.ifindex === 6 ? link.addresses : []))
		return withLink(state, 6, { addresses: [...addresses, { family: 4, cidr: '172.16.0.1/24', global: true, dynamic: false }] })
	}
	const hasRule = (state: HostState): HostState => ({
		...state,
		rules: [
			...state.rules,
			{ family: 4, priority: 500, from: '10.0.1.23/32', table: 254, plain: true, words: 'from 10.0.1.23 lookup main' },
		],
	})

	test('is as desired if the third check finds it so, with 200 ms between the checks', async () => {
		const ran = await ranOn({ meddle: seen(isDown(5), 1, 2) })
		expect(ran.report).toMatchObject({ outcome: 'Succeeded', message: 'Configured 3/3' })
		expect(orderOf(ran, 'apply', 'undo')).toEqual(['apply'])
		expect(tookMs(ran)).toBe(400)
	})

	test.each<[title: string, change: (state: HostState) => HostState, reason: string, message: RegExp]>([
		['it differs', isDown(6), 'NotVerified', /^still differs after applying: up$/],
		['it differs in several attributes', isDown(6, 7), 'NotVerified', /^still differs after applying: up, up$/],
		['something else now uses the NIC', hasAddress, 'NotVerified', /^after the change: .*172\.16\.0\.1/],
		['a rule sends packets from the address elsewhere', hasRule, 'RoutedElsewhere', /^after the change: .*from 10\.0\.1\.23/],
	])('is not as desired if %s at three checks, and one interface is to blame', async (_, change, ...[reason, message]) => {
		const ran = await ranOn({ meddle: seen(change, 1, 2, 3) })
		expect(ran.report?.interfaces).toMatchObject([
			{ state: 'Configured' },
			{ state: 'Failed', reason, message: expect.stringMatching(message) },
			{},
		])
		expect(orderOf(ran, 'apply', 'undo', 'commit')).toEqual(['apply', 'undo', 'apply', 'commit'])
		expect(tookMs(ran)).toBe(400)
	})

	test('gets its MTU again if networkd changes it, even if the interface requests none', async () => {
		const meddle: Meddle = async ({ what, nth }, act, { now, put }) => {
			const result = await act()
			if (what === 'apply' && nth === 0) put(withLink(now(), 5, { mtu: 1400, networkFile: generated.network('multinic0') }))
			return result
		}
		const ran = await ranOn({ meddle })
		expect(ran.report).toMatchObject({ outcome: 'Succeeded', message: 'Configured 3/3' })
		expect(ran.pretended.now().links[1]).toMatchObject({ name: 'multinic0', mtu: 1500 })
		expect(wordsOf(ran, 'again')).toEqual(['mtu 1500: systemd-networkd configured the NIC from a file that it read earlier'])
		expect(Object.keys(ran.report?.milliseconds ?? {})).not.toContain('')
	})

	test('is as desired even if another interface is refused that was not accepted before', async () => {
		const start = hasAddress(node)
		expect((await ranOn({ start })).report).toMatchObject({ outcome: 'PartlyFailed', message: expect.stringMatching(/^Configured 2\/3/) })
	})
})

test('a check omits what the plan omitted, so that a link that has appeared since is ignored', () => {
	const task = { wanted: { failed: new Map([[1, refusal]]) } } as unknown as AttemptInput
	const { failed, kept } = ignoringNewLinks(task, planWith({ changed: [0], refused: [2], kept: [5] })).wanted
	expect(Object.fromEntries(failed)).toEqual({ 1: refusal, 2: pathLost })
	expect(Object.fromEntries(kept)).toEqual({ [mac(5)]: { reason: 'InUse', message: '' } })
})

/** @returns the failure that a check throws; undefined if it passes */
function failureOf(check: () => void): Failure<Code> | undefined {
	try {
		check()
	} catch (error) {
		if (isFailure<Code>(error)) return error
		throw error
	}
	return undefined
}

const path = (name: string, ...hops: string[]): NodePath => ({ name, hops, timeoutMs: 1, answers: async () => true })
const probe = (name: string, ok = true) => ({ name, ok, milliseconds: 1 })
const input = (...excused: string[]) => ({ excused: new Set(excused) }) as unknown as AttemptInput

describe('the paths of a node', () => {
	const targets = [path('api', '10.9.0.1'), path('gateway', '192.168.9.1'), path('dns', '10.9.0.53', '10.9.0.54')]
	const failed = (before: boolean[], after: boolean[]) => {
		const probes = (all: boolean[]) => all.map((ok, at) => probe(['api', 'gateway', 'dns'][at] ?? '', ok))
		return failureOf(() => assertPathsAnswer(targets, { before: probes(before), after: probes(after) }))
	}

	test('are not lost if all answer, or did not answer before', () => {
		expect(failed([true, false, true], [true, false, true])).toBeUndefined()
	})

	test('are named if they are lost, and the failure has their addresses', () => {
		expect(failed([true, true, true], [false, true, false])).toMatchObject({
			code: 'CONNECTIVITY_LOST',
			message: 'api and dns unreachable after the change',
			facts: { hops: ['10.9.0.1', '10.9.0.53', '10.9.0.54'] },
		})
	})
})

describe('what MultiNIC does not manage', () => {
	const theirs = [7, 8].map(id => route({ to: `10.7${id}.0.0/16`, via: '192.168.9.7' }))
	const before = withRoutes(node, ...theirs)
	const lost = (...excused: string[]) => failureOf(() => assertNothingLost(input(...excused), { plan: planWith({}), before, state: node }))

	test('is lost if it is missing, and the message names it', () => {
		expect(lost()).toMatchObject({
			code: 'FOREIGN_CHANGED',
			message: expect.stringMatching(/^changed but not managed by MultiNIC: route 10\.77\.0\.0\/16 .*; route 10\.78\.0\.0\/16 /),
		})
	})

	test('is not lost if the run ignores it', () => {
		const [first = '', second = ''] = (lost()?.facts.lost ?? []) as string[]
		expect(lost(first)).toMatchObject({ message: expect.not.stringContaining('10.77.0.0'), facts: { lost: [second] } })
		expect(lost(first, second)).toBeUndefined()
	})

	test('is not lost if it exists', () => {
		expect(failureOf(() => assertNothingLost(input(), { plan: planWith({}), before, state: before }))).toBeUndefined()
	})
})

test('packets that take another path are lost, unless the run ignores them', () => {
	const loss = {
		key: 'to 10.9.0.1',
		words: 'packets to 10.9.0.1 left through eth0',
		packet: { family: 4, to: '10.9.0.1' },
		after: { links: [9] },
	}
	const check = (...excused: string[]) => failureOf(() => assertRoutesKept(input(...excused), planWith({ changed: [0] }), [loss as never]))
	expect(check()).toMatchObject({ code: 'CONNECTIVITY_LOST', message: loss.words })
	expect(check(loss.key)).toBeUndefined()
})

test('every interface whose packets leave through another link is to blame', () => {
	const found = new Map([
		[0, { ...refusal, message: 'through eth0' }],
		[2, { ...refusal, message: 'through eth2' }],
	])
	const failed = failureOf(() => assertNotRoutedElsewhere(found))
	expect(failed?.code).toBe('ROUTED_ELSEWHERE')
	expect(failed && blamed(failed)).toEqual([
		{ id: 0, message: 'through eth0' },
		{ id: 2, message: 'through eth2' },
	])
	expect(failureOf(() => assertNotRoutedElsewhere(new Map()))).toBeUndefined()
})
