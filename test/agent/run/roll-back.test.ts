import { beforeEach, describe, expect, test } from 'vitest'
import { failure } from '../../../agent/model/failure.ts'
import { RECORD_PATH } from '../../../agent/model/paths.ts'
import { comparable, hostWith } from '../simulated-host.ts'
import { type Meddle, type Pretended, pretendClock } from './pretended-host.ts'
import { fails, mac, nic, node, orderOf, ranOn, route, withLink, withRoutes } from './pretended-run.ts'

/** What a run does after a failure, depending on what its rollback has restored. */

beforeEach(pretendClock)

/** Makes the changes and then fails because of one interface, so that the run has a reason to try the others. */
const blamingOne: Meddle = async ({ what }, act) => {
	await act()
	if (what === 'apply') throw failure('COMMAND_FAILED', 'ip link set dev if6 mtu 9000: no', { id: 1 })
}

/** Fails as above, and intercepts the operations after the changes. */
const afterwards =
	(meddle: Meddle): Meddle =>
	async (call, act, pretended) => {
		if (!pretended.happened.some(({ what }) => what === 'undo')) return call.what === 'apply' ? blamingOne(call, act, pretended) : act()
		return meddle(call, act, pretended)
	}

/** Another program changes the host after the undo. */
const puts = (change: (pretended: Pretended) => void): Meddle =>
	afterwards(async ({ what }, act, pretended) => {
		const result = await act()
		if (what === 'undo') change(pretended)
		return result
	})

const failing = (operation: string, error: () => unknown = () => fails()): Meddle =>
	afterwards(async ({ what }, act) => {
		if (what === operation) throw error()
		return act()
	})

const nothingUndone: Meddle = afterwards(async ({ what }, act) => (what === 'undo' ? ['ip link set dev if5 down: no'] : act()))

/** Not managed by MultiNIC, but the run, or the kernel because of it, may have removed it. */
const theirs = { family: 4 as const, priority: 600, from: '10.0.2.23/32', table: 77, plain: true, words: 'from 10.0.2.23 lookup 77' }

const cases: [title: string, meddle: Meddle, words: RegExp][] = [
	['nothing is undone', nothingUndone, /NOT rolled back: ens0, mtu 1500, down; now multinic0/],
	[
		'a link of the run has another MTU',
		puts(({ now, put }) => put(withLink(now(), 6, { mtu: 1400 }))),
		/NOT rolled back: ens1, mtu 1500, down; now ens1, mtu 1400, down$/,
	],
	[
		'a route of the run remains',
		puts(({ now, put }) => put(withRoutes(now(), route({ to: '10.0.1.0/24', link: 6, table: 101 })))),
		/NOT rolled back: new: route 10\.0\.1\.0\/24/,
	],
	[
		'a rule from a desired address is missing',
		puts(({ now, put }) => put({ ...now(), rules: now().rules.filter(({ priority }) => priority !== theirs.priority) })),
		/NOT rolled back: rule 600: from 10\.0\.2\.23 lookup 77$/,
	],
	[
		'a file of the run remains',
		puts(({ now, put }) => put({ ...now(), files: { [RECORD_PATH]: { content: '{}', mode: 0o600, gid: 0 } } })),
		/NOT rolled back: new: \/var\/lib\/multinic\/record\.json/,
	],
	[
		'a path of the node is lost',
		afterwards(async ({ what }, act, { pass }) => {
			if (what !== 'neighboursAnswer') return act()
			pass(5_000)
			return [false]
		}),
		/NOT rolled back: gateway does not answer$/,
	],
	[
		'packets of the node leave through a link of the run',
		afterwards(async ({ what }, act) => {
			const answers = await act()
			return what === 'lookUp' ? (answers as object[]).map(() => ({ links: [6] })) : answers
		}),
		/NOT rolled back: packets .* through ens1 after it/,
	],
	[
		'packets of the node leave through several links, one of them of the run',
		afterwards(async ({ what }, act) => {
			const answers = await act()
			return what === 'lookUp' ? (answers as object[]).map(() => ({ links: [2, 6] })) : answers
		}),
		/NOT rolled back: packets .* through eth0 and ens1 after it/,
	],
]

describe('a run is NotRestored, leaves the host armed and does not try again if after its rollback', () => {
	test.each(cases)('%s', async (_, meddle, words) => {
		const ran = await ranOn({ start: { ...node, rules: [...node.rules, theirs] }, meddle })
		expect(ran.report).toMatchObject({
			outcome: 'Failed',
			reason: 'NotRestored',
			changes: 0,
			interfaces: [0, 1, 2].map(id => ({ id, state: 'Failed', reason: 'NotRestored', changes: 0 })),
		})
		expect(ran.report?.message).toMatch(words)
		expect(ran.said.map(({ head }) => head)).toContain('NOT rolled back')
		expect(ran.said.map(({ head }) => head)).not.toContain('rolled back')
		expect(orderOf(ran, 'arm', 'apply', 'undo', 'commit', 'disarm')).toEqual(['arm', 'apply', 'undo'])
		expect(ran.pretended.isArmed()).toBe(true)
	})
})

describe('a run that waits for a link', () => {
	const wish = [nic(0), nic(3)]
	const late = hostWith([{ ifindex: 8, name: 'ens3', mac: mac(3) }]).links
	/** The link appears after the first attempt has ended. */
	const appears =
		(operation: string, meddle: Meddle): Meddle =>
		async (call, act, pretended) => {
			const result = await meddle(call, act, pretended)
			const { now, put } = pretended
			if (call.what === operation && call.nth === 0) put({ ...now(), links: [...now().links, ...late] })
			return result
		}

	test('configures the link when it appears', async () => {
		const ran = await ranOn({ wish, config: { waitForDeviceSeconds: 60 }, meddle: appears('commit', (_, act) => act()) })
		expect(ran.report).toMatchObject({ outcome: 'Succeeded', message: 'Configured 2/2' })
		expect(orderOf(ran, 'arm', 'commit')).toEqual(['arm', 'commit', 'arm', 'commit'])
	})

	test.each<[title: string, outcome: string, meddle: Meddle]>([
		['rolled back', 'RolledBack', async ({ what }, act) => (what === 'apply' ? Promise.reject(fails()) : act())],
		['not restored', 'Failed', nothingUndone],
	])('makes no other attempt if the link appears after one that was %s', async (_, outcome, meddle) => {
		const ran = await ranOn({ wish, config: { waitForDeviceSeconds: 60 }, meddle: appears('undo', meddle) })
		expect(ran.report).toMatchObject({ outcome, changes: 0 })
		expect(orderOf(ran, 'arm', 'commit')).toEqual(['arm'])
	})
})

describe('a rollback whose result is unknown is incomplete, so that a run is NotRestored if after the failure', () => {
	test.each([
		['the undo cannot run', failing('undo')],
		['the host cannot be observed', failing('observe')],
		['the paths cannot be probed', failing('neighboursAnswer')],
		['the routes cannot be looked up', failing('lookUp')],
	])('%s', async (title, meddle) => {
		const ran = await ranOn({ meddle })
		const words = title === 'the undo cannot run' ? 'NOT rolled back: ens0' : 'what is restored could not be determined: broken on purpose'
		expect(ran.report).toMatchObject({ outcome: 'Failed', reason: 'NotRestored', message: expect.stringContaining(words) })
		expect(ran.report?.interfaces.map(({ reason }) => reason)).toEqual(Array(3).fill('NotRestored'))
		expect(orderOf(ran, 'arm', 'apply', 'commit', 'disarm')).toEqual(['arm', 'apply'])
		expect(ran.pretended.isArmed()).toBe(true)
	})
})

describe('a run whose rollback is complete', () => {
	const silentGateway: Meddle = async ({ what }, act, { pass }) => {
		if (what === 'neighboursAnswer') pass(3_000)
		return what === 'neighboursAnswer' ? [false] : act()
	}

	test('is disarmed after the undo, and tries again without the cause', async () => {
		const ran = await ranOn({
			meddle: async (call, act, pretended) => (call.what === 'apply' && call.nth === 0 ? blamingOne(call, act, pretended) : act()),
		})
		expect(ran.report).toMatchObject({ outcome: 'PartlyFailed', reason: 'CommandFailed' })
		expect(ran.report?.interfaces.map(({ reason }) => reason)).toEqual(['Configured', 'CommandFailed', 'Configured'])
		expect(orderOf(ran, 'arm', 'apply', 'undo', 'commit', 'disarm')).toEqual(['arm', 'apply', 'undo', 'disarm', 'arm', 'apply', 'commit'])
	})

	test.each<[title: string, meddle: Meddle]>([
		['has changed nothing yet', async ({ what }, act) => (what === 'apply' ? Promise.reject(fails()) : act())],
		[
			'has an undo with complaints, but everything is restored',
			async ({ what }, act) => {
				if (what === 'apply') await act().then(() => Promise.reject(fails()))
				return what === 'undo' ? act().then(() => ['ip: no']) : act()
			},
		],
		[
			'has a path that did not work before either',
			async (call, act, pretended) => (call.what === 'apply' ? Promise.reject(fails()) : silentGateway(call, act, pretended)),
		],
	])('is RolledBack if it %s', async (_, meddle) => {
		const ran = await ranOn({ meddle })
		expect(ran.report).toMatchObject({ outcome: 'RolledBack', reason: 'CommandFailed', changes: 0 })
		expect(ran.report?.message).toBe('broken on purpose; everything was rolled back')
		expect(orderOf(ran, 'arm', 'undo', 'commit', 'disarm')).toEqual(['arm', 'undo', 'disarm'])
		expect(comparable(ran.pretended.now())).toEqual(comparable(node))
	})
})

describe('after a bug of the agent', () => {
	const bug = (undo: 'works' | 'fails' | 'is incomplete'): Meddle => {
		return async ({ what }, act) => {
			if (what === 'undo' && undo === 'fails') throw fails()
			if (what === 'undo' && undo === 'is incomplete') return ['ip link set dev if5 down: no']
			const result = await act()
			if (what === 'apply') throw new TypeError('an unexpected error')
			return result
		}
	}

	test('the changes are undone, and the host stays armed', async () => {
		const ran = await ranOn({ meddle: bug('works') })
		expect(ran.bug).toEqual(new TypeError('an unexpected error'))
		expect(orderOf(ran, 'undo', 'commit', 'disarm')).toEqual(['undo'])
		expect(ran.pretended.isArmed()).toBe(true)
		expect(comparable(ran.pretended.now())).toEqual(comparable(node))
	})

	test.each(['fails', 'is incomplete'] as const)('the rollback timer takes over if the undo %s', async undo => {
		const ran = await ranOn({ meddle: bug(undo) })
		expect(ran.bug).toEqual(new TypeError('an unexpected error'))
		expect(ran.said.at(-1)).toMatchObject({ head: 'NOT rolled back', words: expect.stringMatching(/^the rollback timer takes over: /) })
		expect(ran.pretended.isArmed()).toBe(true)
		ran.pretended.pass(61_000)
		expect(comparable(ran.pretended.now())).toEqual(comparable(node))
	})
})

test('if the host cannot be armed, nothing is changed', async () => {
	const ran = await ranOn({ meddle: async ({ what }, act) => (what === 'arm' ? Promise.reject(failure('NOT_ARMED', 'no')) : act()) })
	expect(ran.report).toMatchObject({ outcome: 'Failed', reason: 'CommandFailed' })
	expect(orderOf(ran, 'apply', 'undo', 'commit', 'disarm')).toEqual([])
})

test('if a route lookup before the change fails, the timer is disarmed and nothing is changed', async () => {
	const ran = await ranOn({ meddle: async ({ what }, act) => (what === 'lookUp' ? Promise.reject(fails()) : act()) })
	expect(ran.report).toMatchObject({ outcome: 'Failed', reason: 'CommandFailed' })
	expect(orderOf(ran, 'arm', 'apply', 'undo', 'commit', 'disarm')).toEqual(['arm', 'disarm'])
})
