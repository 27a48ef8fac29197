import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type InterfaceStatus, type NodeConfigStatus, State } from '../../contract/node-config.ts'
import { heals, Reason, stopsRollout } from '../../contract/reasons.ts'
import {
	complaintOf,
	condition,
	isCurrent,
	isDrifted,
	isJudged,
	mayHeal,
	reasonOf,
	stateOf,
	stoppingReason,
} from '../../contract/status.ts'

const lastTransitionTime = '2026-01-01T12:00:00Z'

function status(state: State | undefined, reason: string, nics: readonly InterfaceStatus[] = []): NodeConfigStatus {
	const ready = { type: 'Ready', status: 'False', reason, message: '', lastTransitionTime } as const
	return { ...(state && { state }), conditions: [ready], interfaceStatuses: [...nics] }
}

function nic(state: State, reason: string, id = 0): InterfaceStatus {
	return { id, name: `multinic${id}`, macAddress: 'fa:16:3e:37:c3:f1', status: state, reason, message: '' }
}

test('a node config without a status is Pending, for no reason, and has no result', () => {
	for (const told of [{}, { status: undefined }, { status: {} }]) {
		expect([stateOf(told), reasonOf(told), isJudged(told), isDrifted(told)]).toEqual(['Pending', '', false, false])
		expect(condition(told.status, 'Ready')).toBeUndefined()
		expect(isCurrent({ ...told, generation: 1 })).toBe(false)
	}
})

test('a status is about the generation that it names', () => {
	expect(isCurrent({ status: { observedGeneration: 2 }, generation: 2 })).toBe(true)
	expect(isCurrent({ status: { observedGeneration: 1 }, generation: 2 })).toBe(false)
})

test.each<[state: State, reason: Reason, judged: boolean, drifted: boolean]>([
	['Configured', 'AllInterfacesConfigured', true, false],
	['Failed', 'PartlyFailed', true, false],
	['Failed', 'Drifted', true, true],
	['Pending', 'Planned', true, false],
	['Pending', 'Waiting', false, false],
	['InProgress', 'RunStarted', false, false],
	['InProgress', 'Drifted', false, false],
])('%s for %s: whether that is a result, and a drift', (state, reason, judged, drifted) => {
	expect([isJudged({ status: status(state, reason) }), isDrifted({ status: status(state, reason) })]).toEqual([judged, drifted])
})

describe('a failure', () => {
	test.each<[title: string, failed: NodeConfigStatus, judged: { heals: boolean; stops?: string }]>([
		['that may pass', status('Failed', 'RunLost'), { heals: true, stops: 'RunLost' }],
		['that stays until the node config changes', status('Failed', 'InvalidConfig'), { heals: false }],
		['with a reason of a later version', status('Failed', 'FromTheFuture'), { heals: true }],
		['of an interface that may pass', status('Failed', 'PartlyFailed', [nic('Failed', 'WaitingForDevice')]), { heals: true }],
		[
			'of interfaces of which one may pass',
			status('Failed', 'PartlyFailed', [nic('Failed', 'NameTaken'), nic('Failed', 'WaitingForDevice', 1)]),
			{ heals: true },
		],
		[
			'of an interface that lost its network',
			status('Failed', 'PartlyFailed', [nic('Failed', 'ConnectivityLost')]),
			{ heals: true, stops: 'ConnectivityLost' },
		],
		[
			'next to an interface that is configured',
			status('Failed', 'PartlyFailed', [nic('Configured', 'ConnectivityLost')]),
			{ heals: false },
		],
	])('%s', (_, failed, { heals, stops }) => {
		const complaint = complaintOf({ status: failed })
		expect(mayHeal(complaint)).toBe(heals)
		expect(stoppingReason(complaint)).toBe(stops)
	})

	test('stops the others for its own reason before that of an interface', () => {
		const nics = [nic('Failed', 'ConnectivityLost')]
		expect(stoppingReason({ reason: 'RolledBack', interfaceStatuses: nics })).toBe('RolledBack')
	})

	test('is judged by the reasons alone', () => {
		const anyReason = fc.constantFrom(...Reason.options)
		const anyNics = fc.array(fc.record({ state: fc.constantFrom(...State.options), reason: anyReason }), { maxLength: 3 })
		const one = (reason: Reason, nics: { state: State; reason: Reason }[]) => {
			const interfaceStatuses = nics.map((one, id) => nic(one.state, one.reason, id))
			const failed = nics.filter(({ state }) => state === 'Failed').map(one => one.reason)
			expect(mayHeal({ reason, interfaceStatuses })).toBe(reason === 'PartlyFailed' ? failed.some(heals) : heals(reason))
			expect(stoppingReason({ reason, interfaceStatuses }) !== undefined).toBe([reason, ...failed].some(stopsRollout))
		}
		fc.assert(fc.property(anyReason, anyNics, one))
	})
})
