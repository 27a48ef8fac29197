import { beforeEach, describe, expect, test } from 'vitest'
import { failure } from '../../../agent/model/failure.ts'
import type { HostState } from '../../../agent/model/host-state.ts'
import { RECORD_PATH } from '../../../agent/model/paths.ts'
import type { RunConfig } from '../../../contract/agent-run.ts'
import { comparable, hostWith } from '../simulated-host.ts'
import { type Meddle, pretendClock } from './pretended-host.ts'
import { fails, headsOf, mac, nic, node, orderOf, ranOn, tookMs, withLink, wordsOf } from './pretended-run.ts'

/** A run as a whole, from an earlier run that died to the links that appear late. */

beforeEach(pretendClock)

const configured = async (): Promise<HostState> => (await ranOn({})).pretended.now()

describe('an earlier run that ended before its commit', () => {
	const tag = 'g1-1-mabc-0'
	const undo = [{ change: { kind: 'mtu' as const, link: 5, bytes: 1400 } }]
	const own = { unfinishedUndo: () => ({ tag, undo }), unfinishedTag: () => tag }
	const complaining =
		(...complaints: string[][]): Meddle =>
		async ({ what, nth }, act) => {
			const result = await act()
			return what === 'undo' ? (complaints[nth] ?? []) : result
		}
	const both = ['ip: no', 'ip: no', 'ip: never']
	const cleared = `an earlier run (${tag}) ended before its commit; it was rolled back`

	test('is rolled back before the host is observed', async () => {
		const ran = await ranOn({ own })
		expect(orderOf(ran, 'undo', 'disarm', 'observe').slice(0, 3)).toEqual(['undo', 'disarm', 'observe'])
		expect(ran.happened.slice(0, 2).map(({ args: [first] }) => first)).toEqual([undo, { tag, undo }])
		expect(ran.said[0]).toMatchObject({ head: 'cleared', words: cleared })
		expect(headsOf(ran)).not.toContain('NOT rolled back')
		expect(ran.report).toMatchObject({ outcome: 'Succeeded', milliseconds: { total: 0 } })
		expect(ran.report?.notes).toBeUndefined()
	})

	test.each<[title: string, complaints: string[][], undos: number]>([
		['twice if the first undo is not complete', [both], 2],
		['three times if the second is not complete either', [both, both], 3],
	])('is rolled back %s, after a pause of a second', async (_, complaints, undos) => {
		const ran = await ranOn({ own, meddle: complaining(...complaints) })
		expect(orderOf(ran, 'undo', 'disarm')).toEqual([...Array(undos).fill('undo'), 'disarm'])
		expect(tookMs(ran)).toBe(1_000 * (undos - 1))
		expect(ran.report?.notes).toBeUndefined()
	})

	test('is disarmed even if its undo is incomplete, and the run reports what was not restored', async () => {
		const ran = await ranOn({ own, meddle: complaining(both, both, both) })
		const words = 'not everything could be rolled back: ip: no; ip: never'
		expect(orderOf(ran, 'undo', 'disarm', 'arm')).toEqual(['undo', 'undo', 'undo', 'disarm', 'arm'])
		expect(ran.said.slice(0, 2)).toMatchObject([
			{ head: 'cleared', words: cleared },
			{ head: 'NOT rolled back', words },
		])
		expect(ran.report).toMatchObject({ outcome: 'Succeeded', notes: [`an earlier run ended before its commit, and ${words}`] })
	})

	test.each<RunConfig['mode']>(['Plan', 'Verify'])('is only reported by a run of mode %s', async mode => {
		const ran = await ranOn({ own, config: { mode } })
		expect(orderOf(ran, 'undo', 'disarm')).toEqual([])
		expect(wordsOf(ran, 'unfinished')).toEqual([`an earlier run (${tag}) ended before its commit; it would be rolled back first`])
		expect(ran.report).toMatchObject({ unfinished: tag })
	})

	test.each<RunConfig['mode']>(['Apply', 'Verify'])('is not reported by a run of mode %s if there is none', async mode => {
		const ran = await ranOn({ config: { mode } })
		expect(headsOf(ran)).not.toContain('cleared')
		expect(ran.report).not.toHaveProperty('unfinished')
	})
})

describe('a run that fails before its first attempt', () => {
	const record = (content: string) => ({ ...node, files: { [RECORD_PATH]: { content, mode: 0o600, gid: 0 } } })
	const unobserved: Meddle = async ({ what }, act) => (what === 'observe' ? Promise.reject(fails()) : act())

	test.each<[title: string, start: HostState, reason: string, words: RegExp]>([
		['because the backend is unknown', { ...node, netplan: false }, 'UnknownBackend', /./],
		['because the record is invalid', record('{}'), 'RunFailed', /^the record of this host \(.*\) cannot be read: /],
	])('%s blames every interface', async (_, start, reason, words) => {
		const ran = await ranOn({ start })
		expect(headsOf(ran)).toEqual(['worker-1, generation 1, backend unknown', 'failed'])
		expect(ran.report).toMatchObject({ outcome: 'Failed', reason, message: expect.stringMatching(words), changes: 0 })
		expect(ran.report?.interfaces).toMatchObject([0, 1, 2].map(id => ({ id, state: 'Failed', reason })))
		expect(wordsOf(ran, 'failed')).toEqual([expect.stringMatching(words)])
	})

	test('still describes its machine', async () => {
		expect((await ranOn({ meddle: unobserved })).report).toMatchObject({ reason: 'CommandFailed', machine: { os: 'none' } })
	})

	test('logs its heading once', async () => {
		const meddle: Meddle = async ({ what }, act) => (what === 'arm' ? Promise.reject(failure('NOT_ARMED', 'no')) : act())
		expect(headsOf(await ranOn({ meddle }))).toEqual(['worker-1, generation 1, backend netplan-networkd', 'failed'])
	})

	test('observes the links of its interfaces', async () => {
		const ran = await ranOn({ meddle: unobserved })
		expect(ran.happened).toMatchObject([{ what: 'observe', args: [[0, 1, 2].map(mac)] }])
	})

	test.each<[title: string, meddle: Meddle]>([
		['fails', unobserved],
		['ends with a bug', async ({ what }, act) => (what === 'observe' ? Promise.reject(new TypeError('of undefined')) : act())],
	])('ends the query to OpenStack if it %s', async (_, meddle) => {
		let ends = 0
		const metadata = () => ({ end: async () => void ends++ })
		await ranOn({ meddle, own: { metadata } as never })
		expect(ends).toBe(1)
	})
})

test('a run logs why it did not compare its interfaces with OpenStack', async () => {
	const metadata = () => ({ end: async () => ({ unavailable: 'no answer' }) })
	expect(wordsOf(await ranOn({ own: { metadata } as never }), 'openstack')).toEqual(['not compared: no answer'])
})

describe('a run gets from its config', () => {
	const from = (config: Partial<RunConfig>) => ranOn({ wish: [nic(0)], config })

	test.each<[title: string, config: Partial<RunConfig>, table: number, priority: number]>([
		['the bases of tables and priorities', { routeTableBase: 300, rulePriorityBase: 20_000 }, 300, 20_000],
		['the default bases if it has none', {}, 100, 10_000],
	])('%s', async (_, config, table, priority) => {
		const { rules, routes } = (await from(config)).pretended.now()
		expect(rules).toContainEqual(expect.objectContaining({ from: '10.0.0.23/32', table, priority }))
		expect(routes).toContainEqual(expect.objectContaining({ to: '0.0.0.0/0', via: '10.0.0.1', table }))
	})

	test('the pod networks, whose packets use the main table', async () => {
		const toPods = async (config: Partial<RunConfig>) =>
			(await from(config)).pretended.now().rules.filter(({ words }) => words.includes('10.244.'))
		expect(await toPods({})).toEqual([])
		expect(await toPods({ podNetworks: ['10.244.1.0/24'] })).toHaveLength(1)
	})

	test('no interfaces if it cleans up', async () => {
		const ran = await ranOn({ start: await configured(), config: { mode: 'Cleanup' } })
		expect(ran.report).toMatchObject({ outcome: 'Succeeded', reason: 'NoInterfaces', interfaces: [] })
		expect(comparable(ran.pretended.now())).toEqual(comparable(node))
	})
})

describe('a run waits for a link', () => {
	const [late] = hostWith([{ ifindex: 8, name: 'ens3', mac: mac(3) }]).links
	const wish = [nic(0), nic(3)]
	const config = { waitForDeviceSeconds: 2 }
	/** The link appears after that many milliseconds of the run. */
	const appears = (ms: number, change = (state: HostState) => state): Meddle => {
		const start = performance.now()
		return async ({ what }, act, { now, put }) => {
			const isHere = now().links.some(({ ifindex }) => ifindex === 8)
			if (what === 'observe' && !isHere && late && performance.now() >= start + ms) put(change({ ...now(), links: [...now().links, late] }))
			return act()
		}
	}

	test.each<[title: string, ms: number, took: number, message: string]>([
		['and configures it within half a second', 700, 1_000, 'Configured 2/2'],
		['until the wait time is over', 2_001, 2_000, 'Configured 1/2. multinic3: no link'],
	])('%s', async (_, ms, took, message) => {
		const ran = await ranOn({ wish, config, meddle: appears(ms) })
		expect(ran.report?.message).toContain(message)
		expect(tookMs(ran)).toBe(took)
	})

	test('for a time that starts with the run, and makes no other attempt until then', async () => {
		const meddle: Meddle = async ({ what }, act, { pass }) => {
			if (what === 'commit') pass(300)
			return act()
		}
		const ran = await ranOn({ wish, config, meddle })
		expect(tookMs(ran)).toBe(2_000)
		expect(orderOf(ran, 'generate', 'commit').slice(-1)).toEqual(['commit'])
		expect(ran.happened.slice(-1)).toMatchObject([{ what: 'observe', args: [[]] }])
	})

	test('and configures it even if another one does not appear', async () => {
		const ran = await ranOn({ wish: [...wish, nic(4)], config, meddle: appears(700) })
		expect(ran.report).toMatchObject({ outcome: 'PartlyFailed', message: expect.stringMatching(/^Configured 2\/3/) })
		expect(tookMs(ran)).toBe(2_000)
	})

	test.each<[title: string, config: Partial<RunConfig>, id: number]>([
		['if the interface is refused for another reason', { allowDefaultRoute: false, ...config }, 0],
		['if it is read-only', { mode: 'Verify', ...config }, 3],
		['if its config has a wait time of 0', { waitForDeviceSeconds: 0 }, 3],
	])('not %s', async (_, more, id) => {
		expect(tookMs(await ranOn({ wish: [nic(id, { defaultRoute: true })], config: more }))).toBe(0)
	})

	test('and ignores one of another kind', async () => {
		const other = { ...node, links: [...node.links, { ...late, kind: 'veth' } as HostState['links'][number]] }
		const ran = await ranOn({ wish, config, start: other })
		expect(tookMs(ran)).toBe(2_000)
	})

	test('and reports the changes of all attempts together', async () => {
		const first = await ranOn({ wish: [nic(0)] })
		const lowered = (state: HostState) => withLink(state, 5, { up: false })
		const ran = await ranOn({ wish, config, meddle: appears(700, lowered) })
		const second = await ranOn({
			wish,
			start: lowered({ ...first.pretended.now(), links: [...first.pretended.now().links, ...(late ? [late] : [])] }),
		})
		const sum = (id: number) => (first.report?.interfaces[id]?.changes ?? 0) + (second.report?.interfaces[id]?.changes ?? 0)
		expect(ran.report?.interfaces.map(({ changes }) => changes)).toEqual([sum(0), sum(1)])
		expect([sum(0), sum(1)].every(changes => changes > 0)).toBe(true)
		expect(ran.report?.changes).toBe((first.report?.changes ?? 0) + (second.report?.changes ?? 0))
		const done = [first, second].flatMap(({ report }) => report?.interfaces[0]?.done ?? [])
		expect(ran.report?.interfaces[0]?.done).toEqual(done)
	})

	test('and reports no changes if the second attempt could not be rolled back', async () => {
		const appear = appears(700)
		const meddle: Meddle = async (call, act, pretended) => {
			if (call.what === 'undo') return ['ip: no']
			const result = await appear(call, act, pretended)
			if (call.what === 'apply' && call.nth === 1) throw fails()
			return result
		}
		const ran = await ranOn({ wish, config, meddle })
		expect(ran.report).toMatchObject({ outcome: 'Failed', reason: 'NotRestored', changes: 0 })
		expect(orderOf(ran, 'commit', 'undo')).toEqual(['commit', 'undo'])
	})
})
