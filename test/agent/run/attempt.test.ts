import { beforeEach, describe, expect, test, vi } from 'vitest'
import { failure } from '../../../agent/model/failure.ts'
import type { HostState } from '../../../agent/model/host-state.ts'
import type { RunConfig } from '../../../contract/agent-run.ts'
import { type Meddle, pretendClock } from './pretended-host.ts'
import { fails, headsOf, nic, node, orderOf, ranOn, route, tookMs, withLink, withRoutes, wordsOf } from './pretended-run.ts'

/** The order of the operations of an attempt, its log, and its report. */

beforeEach(pretendClock)

const heading = (mode = '') => `worker-1, generation 1, ${mode}backend netplan-networkd`
const configured = async (): Promise<HostState> => (await ranOn({})).pretended.now()
const gateways = [0, 1, 2].map(id => `multinic${id} gateway answers`).join(', ')
const unproven = 'unknown, no systemd on this host'

/** Calls `happens` before the first operation of this kind. */
const during =
	(operation: string, happens: (pretended: Parameters<Meddle>[2], args: readonly unknown[]) => unknown): Meddle =>
	async ({ what, nth, args }, act, pretended) => {
		if (what === operation && nth === 0) await happens(pretended, args)
		return act()
	}
const answering =
	(operation: string, answer: (result: never, packets: never) => unknown): Meddle =>
	async ({ what, args }, act) => {
		const result = await act()
		return what === operation ? answer(result as never, args[0] as never) : result
	}

describe('the log of a run', () => {
	test('that succeeds contains each step', async () => {
		vi.spyOn(Date, 'now').mockReturnValue(Date.parse('2026-01-01T12:00:00Z'))
		const ran = await ranOn({})
		expect(headsOf(ran)).toEqual([heading(), 'probes before', 'armed', 'applied', 'probes after', 'verified'])
		expect(wordsOf(ran, 'probes before')).toEqual(['gateway 0 ms'])
		expect(wordsOf(ran, 'armed')).toEqual(['the host rolls back at 12:01:00 unless this run commits'])
		expect(wordsOf(ran, 'applied')).toEqual([`${ran.report?.changes} changes in 0 ms`])
		expect(wordsOf(ran, 'probes after')).toEqual([`gateway 0 ms, ${gateways}, no duplicate address`])
		expect(wordsOf(ran, 'verified')).toEqual([`in sync; same after reboot: ${unproven}`])
	})

	test('on a host without systemd reports that there is no rollback timer', async () => {
		const ran = await ranOn({ meddle: answering('arm', ({ undo, tag }) => ({ undo, tag })) })
		expect(wordsOf(ran, 'armed')).toEqual(['undo files are written; without systemd only another run can use them'])
		expect(ran.report).toMatchObject({ outcome: 'Succeeded' })
	})

	test('that is rolled back contains the cause, and that everything is as before', async () => {
		const ran = await ranOn({ meddle: during('apply', () => Promise.reject(fails())) })
		expect(headsOf(ran)).toEqual([heading(), 'probes before', 'armed', 'failed', 'probes undone', 'rolled back'])
		expect(wordsOf(ran, 'failed')).toEqual(['broken on purpose'])
		expect(wordsOf(ran, 'probes undone')).toEqual(['gateway 0 ms'])
		expect(wordsOf(ran, 'rolled back')).toEqual(['everything is as it was before the run'])
	})

	test('that is rolled back contains what other programs changed during the run', async () => {
		const theirs = [7, 8].map(id => route({ to: `10.7${id}.0.0/16`, via: '192.168.9.7' }))
		const ran = await ranOn({ start: withRoutes(node, ...theirs), meddle: during('apply', ({ put }) => put(node)) })
		expect(wordsOf(ran, 'rolled back')).toEqual([
			expect.stringMatching(
				/^the changes of this run are rolled back; changed by another program: route 10\.77\.0\.0\/16 .*; route 10\.78\.0\.0\/16 /,
			),
		])
		expect(wordsOf(ran, 'again')).toEqual(['this run did not cause the loss, so the same changes are applied again'])
		expect(ran.report?.notes).toHaveLength(2)
	})

	test.each<[title: string, start: () => Promise<HostState>, mode: RunConfig['mode'], lines: [head: string, words: string][]]>([
		[
			'that has nothing to change',
			configured,
			'Apply',
			[
				['probes', gateways],
				['verified', `in sync; same after reboot: ${unproven}`],
			],
		],
		['that only plans', configured, 'Plan', []],
		['that verifies', configured, 'Verify', [['probes', gateways]]],
		['that verifies links that are down', async () => node, 'Verify', []],
	])('%s contains only what it did', async (_, start, mode, lines) => {
		const ran = await ranOn({ start: await start(), config: { mode } })
		expect(ran.said.slice(1).map(({ head, words }) => [head, words])).toEqual(lines)
	})

	test('contains the mode of a run that only plans', async () => {
		const ran = await ranOn({ config: { mode: 'Plan' } })
		expect(headsOf(ran)).toEqual([heading('plan only, ')])
		expect(ran.report).not.toHaveProperty('notes')
	})

	test.each<[title: string, start: () => Promise<HostState>, said: string[]]>([
		['does not mention a reboot if no interface can be configured', async () => node, []],
		[
			'reports that a reboot is not checked if only removals are made',
			configured,
			['in sync; same after reboot: unknown, no interface can be configured, so the state after a reboot was not checked'],
		],
	])('%s', async (_, start, said) => {
		expect(wordsOf(await ranOn({ start: await start(), wish: [nic(3)] }), 'verified')).toEqual(said)
	})
})

describe('the duration of', () => {
	const phases = async (ran: ReturnType<typeof ranOn>) => Object.keys((await ran).report?.milliseconds ?? {}).toSorted()

	test.each<[title: string, ran: () => ReturnType<typeof ranOn>, phases: string[]]>([
		[
			'each phase is in the report',
			() => ranOn({}),
			['apply', 'arm', 'commit', 'generate', 'lookup', 'observe', 'probe', 'prove', 'total', 'verify'],
		],
		[
			'a rollback is in the report',
			() => ranOn({ meddle: during('apply', () => Promise.reject(fails())) }),
			['apply', 'arm', 'generate', 'lookup', 'observe', 'probe', 'total', 'undo'],
		],
		[
			'each phase of a run without changes is in the report',
			async () => ranOn({ start: await configured() }),
			['generate', 'observe', 'probe', 'prove', 'total'],
		],
		[
			'each phase of a run in mode Plan is in the report',
			() => ranOn({ config: { mode: 'Plan' } }),
			['generate', 'observe', 'probe', 'total'],
		],
	])('%s', async (_, ran, expected) => {
		expect(await phases(ran())).toEqual(expected)
	})

	test('the changes does not include that of the duplicate address checks', async () => {
		const meddle = during('apply', async ({ pass }, [, runProbes]) => {
			pass(500)
			await (runProbes as (work: () => Promise<string[]>) => Promise<unknown>)(async () => {
				pass(300)
				return ['arping is missing']
			})
		})
		const ran = await ranOn({ meddle })
		expect(wordsOf(ran, 'applied')).toEqual([`${ran.report?.changes} changes in 500 ms`])
		expect(ran.report).toMatchObject({ notes: ['arping is missing'], milliseconds: { apply: 800, probe: 300, total: 800 } })
		expect(wordsOf(ran, 'probes after')).toEqual([`gateway 0 ms, ${gateways}, arping is missing`])
	})

	test('a run does not depend on the wall clock', async () => {
		vi.spyOn(Date, 'now').mockReturnValue(0)
		expect(tookMs(await ranOn({ meddle: during('prove', ({ pass }) => pass(1_234)) }))).toBe(1_234)
	})
})

describe('a host is armed', () => {
	const armed = ({ happened }: Awaited<ReturnType<typeof ranOn>>) =>
		happened.flatMap(({ what, args: [request] }) => (what === 'arm' ? [request] : []))

	test('for the commit timeout, with a separate tag for each attempt', async () => {
		const meddle = during('apply', () => Promise.reject(failure('COMMAND_FAILED', 'no', { id: 1 })))
		const ran = await ranOn({ meddle, config: { generation: 3, attempt: 2, commitTimeoutSeconds: 90 } })
		const started = Date.parse(ran.report?.started ?? '').toString(36)
		expect(armed(ran)).toMatchObject([0, 1].map(nth => ({ tag: `g3-2-${started}-${nth}`, commitTimeoutSeconds: 90, systemd: false })))
	})
})

describe('a run without changes', () => {
	const silent = answering('echoes', (_, packets: object[]) => packets.map(() => ({ notSent: 'ping is missing' })))

	test.each<[title: string, start: () => Promise<HostState>]>([
		['like one with changes, reports what it could not check', async () => node],
		['reports what it could not check', configured],
	])('%s', async (_, start) => {
		const ran = await ranOn({ start: await start(), meddle: silent })
		expect(ran.report).toMatchObject({ outcome: 'Succeeded', notes: ['the path MTU is not checked: ping is missing'] })
		expect([...wordsOf(ran, 'probes'), ...wordsOf(ran, 'probes after')].join()).toContain('the path MTU is not checked: ping is missing')
	})

	const elsewhere = answering('lookUp', (answers: object[], packets: { from?: string }[]) =>
		packets.map(({ from }, at) => (from === '10.0.1.23' ? { links: [2] } : answers[at])),
	)

	test('reports an interface whose packets leave through another link, and interfaces that were refused before', async () => {
		const ran = await ranOn({ start: await configured(), wish: [0, 1, 2, 3].map(id => nic(id)), meddle: elsewhere })
		expect(ran.report?.interfaces.map(({ state, reason }) => [state, reason])).toEqual([
			['Configured', 'AlreadyConfigured'],
			['Failed', 'RoutedElsewhere'],
			['Configured', 'AlreadyConfigured'],
			['Failed', 'WaitingForDevice'],
		])
		expect(orderOf(ran, 'lookUp', 'echoes', 'arm')).toEqual(['echoes', 'lookUp'])
	})

	test('looks up no routes if there would be changes', async () => {
		const start = withLink(await configured(), 5, { up: false })
		const ran = await ranOn({ start, config: { mode: 'Verify' }, meddle: elsewhere })
		expect(ran.report?.interfaces.map(({ reason }) => reason)).toEqual(['Drifted', 'AlreadyConfigured', 'AlreadyConfigured'])
		expect(orderOf(ran, 'lookUp')).toEqual([])
	})

	test.each(['Plan', 'Verify'] as const)(
		'of mode %s reports no changes of its own, only the pending changes of its interfaces',
		async mode => {
			const { report } = await ranOn({ config: { mode } })
			expect(report).toMatchObject({ changes: 0, interfaces: [{ changes: expect.any(Number) }, {}, {}] })
			expect(report?.interfaces.every(({ changes, done }) => changes > 0 && done === undefined)).toBe(true)
		},
	)
})

describe('after a bug of the agent', () => {
	const bug =
		(undo: () => Promise<string[]>): Meddle =>
		async ({ what }, act) => {
			if (what === 'undo') return undo()
			const result = await act()
			if (what === 'apply') throw new TypeError('of undefined')
			return result
		}
	test.each<[title: string, undo: () => Promise<string[]>, head: string, words: string]>([
		['is complete', async () => [], 'rolled back', 'the changes of this run, because it cannot continue'],
		['is incomplete', async () => ['ip: no', 'ip: never'], 'NOT rolled back', 'the rollback timer takes over: ip: no; ip: never'],
		['fails', () => Promise.reject(fails('ip: gone')), 'NOT rolled back', 'the rollback timer takes over: ip: gone'],
	])('the log reports that the undo %s', async (_, undo, ...line) => {
		const { said } = await ranOn({ meddle: bug(undo) })
		expect([said.at(-1)?.head, said.at(-1)?.words]).toEqual(line)
	})
})
