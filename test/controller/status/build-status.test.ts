import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AgentReport } from '../../../contract/agent-run.ts'
import { Mac } from '../../../contract/primitives.ts'
import { NodeConfigStatus } from '../../../contract/node-config.ts'
import { Reason } from '../../../contract/reasons.ts'
import { condition } from '../../../contract/status.ts'
import { statusPatch } from '../../../controller/status/status-patch.ts'
import type { Snapshot } from '../../../controller/model/snapshot.ts'
import { readSpec } from '../../../controller/model/read-spec.ts'
import { invalidStatus, lostStatus, pendingStatus, reportedStatus, startedStatus } from '../../../controller/status/build-status.ts'
import { ended, mac, nic, nicReport, now, report, run, spec, withStatus, world } from '../world.ts'

const second = { id: 1, macAddress: 'fa:16:3e:04:92:c6' }
const two = { ...spec, interfaces: [nic, second] }

function told(over: Partial<AgentReport>, snapshot = world({ spec: { value: two } })) {
	return reportedStatus(snapshot, run({ report: report(over) }))
}

const both = [nicReport(), nicReport({ id: 1, name: 'multinic1', macAddress: second.macAddress })]
const oneWaits = [
	nicReport(),
	nicReport({
		id: 1,
		name: 'multinic1',
		macAddress: second.macAddress,
		state: 'Failed',
		reason: 'WaitingForDevice',
		message: 'no link has MAC fa:16:3e:04:92:c6 yet',
	}),
]

describe('a report becomes a status', () => {
	test.each<[title: string, over: Partial<AgentReport>, state: string, said: [reason: string, interfaces: string]]>([
		['all interfaces are configured', { interfaces: both }, 'Configured', ['AllInterfacesConfigured', '2/2']],
		[
			'one interface waits for its device, which is the reason of the node config',
			{ outcome: 'PartlyFailed', interfaces: oneWaits },
			'Failed',
			['WaitingForDevice', '1/2'],
		],
		[
			'two interfaces fail with different reasons',
			{ outcome: 'PartlyFailed', interfaces: [nicReport({ state: 'Failed', reason: 'InUse' }), oneWaits[1] ?? nicReport()] },
			'Failed',
			['PartlyFailed', '0/2'],
		],
		[
			'a rolled back run has the reason of its report',
			{ outcome: 'RolledBack', reason: 'ConnectivityLost', interfaces: [] },
			'Failed',
			['ConnectivityLost', '0/2'],
		],
		['an interface that is missing in the report is not configured', { interfaces: [nicReport()] }, 'Failed', ['RunFailed', '1/2']],
		['a report of success with a failed interface is a failure', { interfaces: oneWaits }, 'Failed', ['WaitingForDevice', '1/2']],
		[
			'an interface that is not in the spec is ignored',
			{ interfaces: [...both, nicReport({ id: 7, macAddress: 'fa:16:3e:00:00:07' })] },
			'Configured',
			['AllInterfacesConfigured', '2/2'],
		],
		[
			'interfaces are matched by MAC, not by id',
			{ interfaces: both.map((one, index) => ({ ...one, id: 1 - index })) },
			'Configured',
			['AllInterfacesConfigured', '2/2'],
		],
		[
			'MACs are compared regardless of case',
			{ interfaces: both.map(one => ({ ...one, macAddress: one.macAddress.toUpperCase() })) },
			'Configured',
			['AllInterfacesConfigured', '2/2'],
		],
		[
			'a warning is not a failure',
			{ interfaces: [nicReport({ warnings: [{ reason: 'GatewaySilent', message: 'no answer' }] }), both[1] ?? nicReport()] },
			'Configured',
			['AllInterfacesConfigured', '2/2'],
		],
	])('%s', (_, over, state, [reason, interfaces]) => {
		const status = told(over)
		expect(status).toMatchObject({
			state,
			interfaces,
			observedGeneration: 1,
			observedSpecHash: 'hash-1',
			lastJobName: 'multinic-agent-worker-1-g1',
		})
		expect(condition(status, 'Ready')).toMatchObject({ reason, status: state === 'Configured' ? 'True' : 'False' })
		expect(condition(status, 'Progressing')?.status).toBe('False')
	})

	test('has all fields and messages of a configured node', () => {
		const status = told({ interfaces: both })
		expect(status).toMatchObject({
			lastProcessed: '2026-01-01T12:00:00Z',
			backend: 'netplan-networkd',
			history: [{ generation: 1, job: 'multinic-agent-worker-1-g1', seconds: 2, changes: 3, result: 'Configured' }],
			interfaceStatuses: [
				{ id: 0, name: 'multinic0', macAddress: mac, status: 'Configured', lastConfigured: '2026-01-01T11:59:52Z', message: 'as wanted' },
				{ id: 1, name: 'multinic1' },
			],
		})
		expect(condition(status, 'Ready')?.message).toBe('All 2 interfaces are configured: 3 changes')
		expect(condition(status, 'Persistent')).toMatchObject({ status: 'True', reason: 'Persistent', message: 'proven by the generator' })
	})

	test('the message names the interface, the failure and the next attempt', () => {
		const message = condition(told({ outcome: 'PartlyFailed', interfaces: oneWaits }), 'Ready')?.message
		expect(message).toBe('multinic1: no link has MAC fa:16:3e:04:92:c6 yet. The other interface is configured. Next attempt in 5 s.')
	})

	test('reports a failed removal together with a failed interface', () => {
		const notRemoved = [{ name: 'multinic4', macAddress: 'fa:16:3e:00:00:04', reason: 'InUse' as const, message: 'vlan5 is on top of it' }]
		const ready = condition(told({ outcome: 'PartlyFailed', interfaces: oneWaits, notRemoved }), 'Ready')
		expect(ready?.reason).toBe('PartlyFailed')
		expect(ready?.message).toMatch(/^multinic1: .* yet; multinic4 \(fa:16:3e:00:00:04\) is not removed: vlan5 is on top of it\. The other/)
	})

	test('the message of a failure that is not retryable names what it waits for', () => {
		const bad = [nicReport({ state: 'Failed', reason: 'MtuRefused', message: 'the link carries at most 1500' }), both[1] ?? nicReport()]
		expect(condition(told({ outcome: 'PartlyFailed', interfaces: bad }), 'Ready')?.message).toMatch(/Waiting for a change or a retry\.$/)
	})

	test('a long message is shortened but keeps its command', () => {
		const see = '(cat /etc/netplan/99-z-trunk.yaml)'
		const long = [nicReport({ state: 'Failed', reason: 'InUse', message: `${'x'.repeat(400)} ${see}` }), both[1] ?? nicReport()]
		const message = condition(told({ outcome: 'PartlyFailed', interfaces: long }), 'Ready')?.message
		expect(message).toMatch(/x… \(cat \/etc\/netplan\/99-z-trunk\.yaml\)\. The other interface is configured\. Next attempt in 5 s\.$/)
		expect(message).toHaveLength(256)
	})

	test('an interface whose message begins with its name is named once', () => {
		const failed = [nicReport({ state: 'Failed', reason: 'NameTaken', message: 'multinic0 is the name of another link' })]
		expect(condition(told({ outcome: 'Failed', interfaces: failed }), 'Ready')?.message).not.toMatch(/multinic0: multinic0/)
		const partly = told({ outcome: 'PartlyFailed', interfaces: [...failed, both[1] ?? nicReport()] })
		expect(condition(partly, 'Ready')?.message).toMatch(/^multinic0 is the name of another link\. The other/)
	})

	test('a long message is shortened but keeps the next attempt', () => {
		const long = [nicReport({ state: 'Failed', reason: 'InUse', message: 'x'.repeat(400) })]
		expect(condition(told({ outcome: 'PartlyFailed', interfaces: long }), 'Ready')?.message).toMatch(/…\. Next attempt in 5 s\.$/)
	})

	test('a spec without interfaces is Configured with reason NoInterfaces', () => {
		const status = told({ interfaces: [], changes: 4 }, world({ spec: { value: { ...spec, interfaces: [] } } }))
		expect(status).toMatchObject({ state: 'Configured', interfaces: '0/0' })
		expect(condition(status, 'Ready')?.reason).toBe('NoInterfaces')
	})

	test.each<[title: string, status: 'True' | 'False' | 'Unknown', reason: Reason]>([
		['that would restore the configuration', 'True', 'Persistent'],
		['that would lose the configuration', 'False', 'NotPersistent'],
		['with an unknown effect', 'Unknown', 'PersistenceUnknown'],
	])('a reboot %s is reported in condition Persistent and not as a failure', (_, persistent, reason) => {
		const status = told({ interfaces: both, persistent: { status: persistent, message: 'as the run found' } })
		expect(status.state).toBe('Configured')
		expect(condition(status, 'Persistent')).toMatchObject({ status: persistent, reason, message: 'as the run found' })
	})
})

describe('the previous status is kept', () => {
	const before = withStatus(world({ spec: { value: two } }), told({ interfaces: both }))

	test('a started run sets every interface to InProgress and keeps when each was last configured', () => {
		const status = startedStatus({ ...before, config: { ...before.config, generation: 2 } }, run({ generation: 2 }))
		expect(status).toMatchObject({
			observedGeneration: 2,
			state: 'InProgress',
			interfaces: '0/2',
			lastJobName: 'multinic-agent-worker-1-g2',
		})
		expect(status.interfaceStatuses).toMatchObject([
			{ status: 'InProgress', lastConfigured: '2026-01-01T11:59:52Z' },
			{ status: 'InProgress' },
		])
	})

	test('an interface without changes keeps the time when it was last configured', () => {
		const again = reportedStatus(
			{ ...before, now: now + 60_000 },
			run({ attempt: 2, report: report({ finished: '2026-01-01T12:01:00Z', interfaces: both.map(one => ({ ...one, changes: 0 })) }) }),
		)
		expect(again.interfaceStatuses?.[0]?.lastConfigured).toBe('2026-01-01T11:59:52Z')
	})

	test('a condition keeps its transition time while its status stays the same', () => {
		const later = { ...before, now: now + 60_000 }
		expect(condition(reportedStatus(later, run({ attempt: 2, report: report({ interfaces: both }) })), 'Ready')?.lastTransitionTime).toBe(
			'2026-01-01T12:00:00Z',
		)
		expect(condition(lostStatus(later, run({ attempt: 2 }), 'RunLost', 'gone'), 'Ready')?.lastTransitionTime).toBe('2026-01-01T12:01:00Z')
	})

	test('the history has five runs, newest first, each only once', () => {
		let snapshot = world()
		for (let attempt = 1; attempt <= 7; attempt++)
			for (const _ of [1, 2]) snapshot = withStatus(snapshot, reportedStatus(snapshot, run({ attempt, report: report({ attempt }) })))
		expect(snapshot.config.status.history?.map(entry => entry.job.slice(-2))).toEqual(['-7', '-6', '-5', '-4', '-3'])
	})

	test('the history has the five newest finished runs, newest first, even if older runs still exist', () => {
		const step = fc.record({ isEdited: fc.boolean(), isTold: fc.boolean(), isCleared: fc.boolean() })
		fc.assert(
			fc.property(fc.array(step, { minLength: 1, maxLength: 30 }), steps => {
				const { snapshot, names } = steps.reduce(afterRun, { snapshot: world({ config: { generation: 0 } }), names: [], attempt: 0 })
				const generation = snapshot.config.generation + 1
				const status = startedStatus({ ...snapshot, config: { ...snapshot.config, generation } }, run({ generation }))
				expect(status.history?.map(({ job }) => job)).toEqual(names.slice(0, 5))
			}),
		)
	})

	test('a history that an older version of the controller wrote out of order is sorted', () => {
		const old = [1, 2, 3, 4, 5, 6].map(generation => run({ generation, report: report({ generation }), job: ended }))
		const mixed = reportedStatus(world(), old[2] ?? run()).history ?? []
		const snapshot = withStatus(world({ runs: old, config: { generation: 7 } }), { history: mixed })
		expect(startedStatus(snapshot, run({ generation: 7 })).history?.map(({ generation }) => generation)).toEqual([6, 5, 4, 3, 2])
	})

	const failed = report({ outcome: 'Failed', reason: 'InUse' })
	test.each<[title: string, status: (snapshot: Snapshot) => NodeConfigStatus, failureReason: string | undefined]>([
		['succeeded', snapshot => reportedStatus(snapshot, run({ cause: 'Drifted', report: report() })), undefined],
		['failed', snapshot => reportedStatus(snapshot, run({ cause: 'Drifted', report: failed })), 'InUse'],
		['left no report', snapshot => lostStatus(snapshot, run({ cause: 'Drifted' }), 'RunLost', 'gone'), 'RunLost'],
		['left no report of a clean-up', snapshot => reportedStatus(snapshot, run({ cause: 'Drifted', mode: 'Cleanup' })), 'RunFailed'],
	])('the history has the cause of a run that %s, and a reason only if it failed', (_, statusOf, failureReason) => {
		const [entry] = statusOf(world()).history ?? []
		expect([entry?.cause, entry?.failureReason]).toEqual(['Drifted', failureReason])
	})

	test('the history includes a run of an earlier generation whose result was not reported', () => {
		const old = run({ report: report() })
		const snapshot = world({ runs: [old], config: { generation: 2 } })
		expect(startedStatus(snapshot, run({ generation: 2 })).history).toMatchObject([{ generation: 1, result: 'Configured' }])
	})
})

describe('an invalid spec', () => {
	test('has a message that names the field', () => {
		const status = invalidStatus(
			world(readSpec({ ...spec, interfaces: [{ ...nic, gateway: 'x' }] })),
			'spec.interfaces[0].routes[0].to: must be an address with a prefix length',
		)
		expect(status).toMatchObject({ state: 'Failed', interfaces: '0/1' })
		expect(condition(status, 'Ready')?.message).toContain('spec.interfaces[0].routes[0].to')
	})
})

test('a spec that becomes invalid keeps the last observed state of the node in the status', () => {
	const observed = { link: 'multinic0', mtu: 1450, up: true, addresses: ['10.0.0.23/24'] }
	const before = withStatus(world({ spec: { value: two } }), told({ interfaces: [nicReport({ observed }), both[1] ?? nicReport()] }))
	const status = invalidStatus({ ...before, spec: { fault: 'spec.interfaces: no', listed: 2 } }, 'spec.interfaces: no')
	const stays = { status: 'Failed', reason: 'InvalidConfig', message: 'unchanged since the last run' }
	expect(status).toMatchObject({
		interfaces: '0/2',
		interfaceStatuses: [
			{ name: 'multinic0', macAddress: mac, ...stays, observed, lastConfigured: '2026-01-01T11:59:52Z' },
			{ name: 'multinic1', ...stays },
		],
	})
})

describe('for any report', () => {
	test('the status fits its schema and 8 KiB', () => {
		fc.assert(
			fc.property(reports, fc.integer({ min: 0, max: 10 }), (said, count) => {
				const interfaces = Array.from({ length: count }, (_, id) => ({ id, macAddress: macOf(id) }))
				let snapshot = world({ spec: { value: { ...spec, interfaces } } })
				for (let attempt = 1; attempt <= 5; attempt++)
					snapshot = withStatus(
						snapshot,
						reportedStatus(snapshot, run({ attempt, name: `${'n'.repeat(62)}${attempt}`, report: { ...said, attempt } })),
					)
				const { status } = snapshot.config
				expect(NodeConfigStatus.safeParse(status).error).toBeUndefined()
				expect(Buffer.byteLength(JSON.stringify(status))).toBeLessThanOrEqual(8_192)
			}),
			{ numRuns: 500 },
		)
	})
})

describe('a status write contains only changes', () => {
	const stored = { state: 'InProgress', interfaces: '0/1', lastProcessed: 'then', backend: 'x' }
	test.each<[title: string, wanted: NodeConfigStatus, change: unknown]>([
		['an unchanged status is not written', { ...stored, state: 'InProgress' }, undefined],
		['a status in which only lastProcessed changed is not written', { ...stored, state: 'InProgress', lastProcessed: 'now' }, undefined],
		[
			'a new state is written with lastProcessed',
			{ ...stored, state: 'Configured', lastProcessed: 'now' },
			{ state: 'Configured', lastProcessed: 'now' },
		],
		['the order of keys is ignored', Object.fromEntries(Object.entries(stored).toReversed()), undefined],
		['a missing field is removed', { state: 'InProgress', interfaces: '0/1', lastProcessed: 'then' }, { backend: null }],
	])('%s', (_, wanted, change) => {
		expect(statusPatch(stored, wanted)).toEqual(change)
	})

	test('a pending status has the reason of the wait', () => {
		expect(condition(pendingStatus(world(), 'NodeNotFound', 'No node'), 'Ready')).toMatchObject({ reason: 'NodeNotFound', status: 'False' })
	})
})

type Story = { snapshot: Snapshot; names: string[]; attempt: number }

/**
 * Adds a run to the snapshot. The status may or may not show its result before the next run starts, and the previous run may or may not be
 * deleted.
 */
function afterRun({ snapshot, names, attempt: last }: Story, step: { isEdited: boolean; isTold: boolean; isCleared: boolean }): Story {
	const isFirst = step.isEdited || names.length === 0
	const generation = snapshot.config.generation + (isFirst ? 1 : 0)
	const attempt = isFirst ? 1 : last + 1
	const one = run({ generation, attempt, report: report({ generation, attempt }), job: ended })
	const before = { ...snapshot, config: { ...snapshot.config, generation } }
	const begun = withStatus(before, startedStatus(before, one))
	// unordered, as in the caches
	const after = { ...begun, runs: [one, ...(step.isCleared ? begun.runs.slice(1) : begun.runs)] }
	return { snapshot: step.isTold ? withStatus(after, reportedStatus(after, one)) : after, names: [one.name, ...names], attempt }
}

const text = fc.oneof(fc.string({ maxLength: 600 }), fc.string({ unit: 'grapheme', maxLength: 300 }), fc.constant('가'.repeat(500)))
const reports = fc
	.record({
		outcome: fc.constantFrom('Succeeded' as const, 'PartlyFailed' as const, 'Failed' as const, 'RolledBack' as const),
		reason: fc.constantFrom(...Reason.options),
		message: text,
		backend: text,
		started: fc.constantFrom('2026-01-01T11:59:50Z', 'yesterday', ''),
		interfaces: fc.array(
			fc.record({
				id: fc.nat(9),
				state: fc.constantFrom('Configured' as const, 'Failed' as const, 'Pending' as const),
				reason: fc.constantFrom(...Reason.options),
				message: text,
			}),
			{ minLength: 0, maxLength: 10 },
		),
	})
	.map(({ interfaces, ...said }) =>
		report({
			...said,
			interfaces: interfaces.map(one =>
				nicReport({
					...one,
					macAddress: macOf(one.id),
					observed: {
						link: 'multinic0',
						mtu: 1450,
						up: true,
						addresses: Array<string>(4).fill('fd00:1111:2222:3333:4444:5555:6666:7777/128'),
					},
				}),
			),
		}),
	)

function macOf(id: number): string {
	return Mac.parse(`fa:16:3e:00:00:0${id}`)
}
