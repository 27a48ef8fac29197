import { beforeEach, describe, expect, test } from 'vitest'
import { comparable } from '../simulated-host.ts'
import { type Meddle, type Pretended, pretendClock } from './pretended-host.ts'
import { nic, node, orderOf, ranOn } from './pretended-run.ts'

/** A path of the node that no longer works after a change: the run is rolled back, and only the cause is omitted. */

beforeEach(pretendClock)

/** The gateway of the node answers if `answers` is true; otherwise its probe lasts until the timeout. */
function gateway(answers: (pretended: Pretended, nth: number) => boolean, more: Meddle = (_, act) => act()): Meddle {
	return async (call, act, pretended) => {
		if (call.what !== 'neighboursAnswer') return more(call, act, pretended)
		const isAnswered = answers(pretended, call.nth)
		if (!isAnswered) pretended.pass(5_000)
		return [isAnswered]
	}
}

const upLinks = ({ now }: Pretended) => now().links.flatMap(({ up, ifindex }) => (up && ifindex > 2 ? [ifindex - 5] : []))
const lost = 'gateway unreachable after the change'

test('one interface is rolled back if its change breaks the path', async () => {
	const ran = await ranOn({ wish: [nic(0)], meddle: gateway(pretended => upLinks(pretended).length === 0) })
	expect(ran.report).toMatchObject({
		outcome: 'RolledBack',
		reason: 'ConnectivityLost',
		message: `${lost}; everything was rolled back`,
		interfaces: [{ state: 'Failed', reason: 'ConnectivityLost' }],
		probes: { before: [{ name: 'gateway', ok: true }], after: [{ name: 'gateway', ok: false }] },
	})
	expect(orderOf(ran, 'arm', 'commit', 'undo', 'disarm')).toEqual(['arm', 'undo', 'disarm'])
	expect(comparable(ran.pretended.now())).toEqual(comparable(node))
})

test.each([0, 1, 2])('of three interfaces, only number %i is omitted if it breaks the path', async guilty => {
	const ran = await ranOn({ meddle: gateway(pretended => !upLinks(pretended).includes(guilty)) })
	expect(ran.report).toMatchObject({ outcome: 'PartlyFailed', reason: 'ConnectivityLost' })
	expect(ran.report?.interfaces.map(({ reason }) => reason)).toEqual(
		[0, 1, 2].map(id => (id === guilty ? 'ConnectivityLost' : 'Configured')),
	)
	expect(upLinks(ran.pretended)).toEqual([0, 1, 2].filter(id => id !== guilty))
})

test('a path that the rollback does not restore ends the run, and the host stays armed', async () => {
	const ran = await ranOn({ meddle: gateway((_, nth) => nth === 0) })
	expect(ran.report).toMatchObject({
		outcome: 'Failed',
		reason: 'ConnectivityLost',
		message: `${lost}; NOT rolled back: gateway does not answer`,
		changes: 0,
	})
	expect(ran.said.map(({ head }) => head)).toContain('NOT rolled back')
	expect(orderOf(ran, 'arm', 'apply', 'commit', 'undo', 'disarm')).toEqual(['arm', 'apply', 'undo'])
	expect(ran.pretended.isArmed()).toBe(true)
})

test('a path that did not work before is not lost', async () => {
	const ran = await ranOn({ meddle: gateway(() => false) })
	expect(ran.report).toMatchObject({ outcome: 'Succeeded', message: 'Configured 3/3', probes: { before: [{ ok: false }], after: [] } })
})

describe('a path, if more than one attempt is needed to find the cause,', () => {
	const undoTakes = (seconds: number): Meddle =>
		gateway(
			pretended => upLinks(pretended).length === 0,
			async ({ what }, act, { pass }) => {
				const result = await act()
				if (what === 'disarm') pass(seconds * 1000)
				return result
			},
		)

	test('is put at risk again within 200 s', async () => {
		const ran = await ranOn({ meddle: undoTakes(60) })
		expect(orderOf(ran, 'arm').length).toBeGreaterThan(1)
	})

	test('is not put at risk again after 200 s, and all interfaces are omitted', async () => {
		const ran = await ranOn({ meddle: undoTakes(200) })
		expect(ran.report).toMatchObject({ outcome: 'RolledBack', reason: 'ConnectivityLost', changes: 0 })
		expect(ran.report?.interfaces.map(({ reason }) => reason)).toEqual(Array(3).fill('ConnectivityLost'))
		expect(orderOf(ran, 'arm')).toEqual(['arm'])
	})
})

test('an interface whose own packets leave through another link after the change is omitted', async () => {
	const ran = await ranOn({
		meddle: async ({ what, args: [packets] }, act) => {
			const answers = await act()
			if (what !== 'lookUp') return answers
			return (packets as { from?: string }[]).map(({ from }, at) => (from === '10.0.1.23' ? { links: [2] } : (answers as object[])[at]))
		},
	})
	expect(ran.report).toMatchObject({ outcome: 'PartlyFailed', reason: 'RoutedElsewhere' })
	expect(ran.report?.interfaces.map(({ reason }) => reason)).toEqual(['Configured', 'RoutedElsewhere', 'Configured'])
	expect(orderOf(ran, 'apply', 'undo', 'disarm', 'commit')).toEqual(['apply', 'undo', 'disarm', 'apply', 'commit'])
})

describe('packets of the node that leave through another link after the change', () => {
	const rerouted = (isLater: (pretended: Pretended) => boolean): Meddle => {
		return async ({ what }, act, pretended) => {
			const answers = await act()
			return what === 'lookUp' && isLater(pretended) ? (answers as object[]).map(() => ({ links: [5] })) : answers
		}
	}
	const once = (operation: string) => (pretended: Pretended) => pretended.happened.some(({ what }) => what === operation)

	test('are a lost path of the interface through which they leave', async () => {
		const ran = await ranOn({ wish: [nic(0)], meddle: rerouted(pretended => once('apply')(pretended) && !once('undo')(pretended)) })
		expect(ran.report).toMatchObject({ outcome: 'Failed', reason: 'ConnectivityLost', changes: 0 })
		expect(ran.report?.message).toMatch(/^Configured 0\/1\. multinic0: packets .* through multinic0 after it\.$/)
		expect(orderOf(ran, 'arm', 'commit', 'undo', 'disarm')).toEqual(['arm', 'undo', 'disarm'])
		expect(comparable(ran.pretended.now())).toEqual(comparable(node))
	})

	test('are not restored if they still leave through it after the rollback', async () => {
		const ran = await ranOn({ meddle: rerouted(once('apply')) })
		expect(ran.report).toMatchObject({ outcome: 'Failed', reason: 'ConnectivityLost' })
		expect(ran.report?.message).toMatch(/NOT rolled back: packets .* through ens0 after it/)
		expect(orderOf(ran, 'arm', 'commit', 'disarm')).toEqual(['arm'])
	})
})
