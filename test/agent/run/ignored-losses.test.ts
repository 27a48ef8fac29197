import { describe, expect, test } from 'vitest'
import type { HostState } from '../../../agent/model/host-state.ts'
import type { Route } from '../../../agent/model/route.ts'
import { routeKey } from '../../../agent/model/route.ts'
import type { Meddle } from './pretended-host.ts'
import { nic, node, orderOf, ranOn, route, withRoutes } from './pretended-run.ts'

/** Routes that are removed or kept during a run, and whether this is a loss. */

/** Another program removes the route while the run applies its changes. */
const taking =
	(gone: Route): Meddle =>
	async ({ what, nth }, act, { now, put }) => {
		const result = await act()
		if (what === 'apply' && nth === 0) put({ ...now(), routes: now().routes.filter(one => routeKey(one) !== routeKey(gone)) })
		return result
	}

const announced = { family: 6 as const, to: 'fd77::/64', via: 'fe80::1', metric: 1024 }
/** Packets still leave through the same link after the route is removed. */
const instead = route({ ...announced, metric: 2048 })
const local = { to: '10.77.0.7/32', type: 2, scope: 254 }

describe('a route that is missing after the change, on a link that the run does not touch,', () => {
	test.each<[title: string, gone: Route]>([
		['comes from a router advertisement', route({ ...announced, protocol: 9 })],
		['is in the local table', route({ ...local, table: 255 })],
	])('is not a loss if it %s', async (_, gone) => {
		const ran = await ranOn({ start: withRoutes(node, gone, instead), meddle: taking(gone) })
		expect(ran.report).toMatchObject({ outcome: 'Succeeded', message: 'Configured 3/3' })
		expect(ran.report?.notes).toBeUndefined()
		expect(orderOf(ran, 'apply', 'undo', 'commit')).toEqual(['apply', 'commit'])
	})

	test.each<[title: string, gone: Route]>([
		['was added by a person, with the same values', route({ ...announced, protocol: 3 })],
		['is in another table, with the same values', route({ ...local, table: 77 })],
	])('is a loss if it %s', async (_, gone) => {
		const ran = await ranOn({ start: withRoutes(node, gone, instead), meddle: taking(gone) })
		expect(ran.report?.notes).toEqual([expect.stringMatching(/^changed by another program during the run: route /)])
		expect(orderOf(ran, 'apply', 'undo', 'commit')).toEqual(['apply', 'undo', 'apply', 'commit'])
	})
})

describe('a next hop outside the networks of the interface', () => {
	const wish = [nic(0, { routes: [{ to: '10.9.0.0/16', via: '10.99.0.1' }] })]
	const toNine = ({ routes }: HostState) => routes.filter(({ to }) => to === '10.9.0.0/16').map(({ via, onlink }) => ({ via, onlink }))

	test('is set to onlink, because the kernel would reject it otherwise', async () => {
		const ran = await ranOn({ wish })
		expect(ran.report, String(ran.bug)).toMatchObject({ outcome: 'Succeeded', message: 'Configured 1/1' })
		expect(toNine(ran.pretended.now())).toEqual([{ via: '10.99.0.1', onlink: true }])
	})

	test('is not set to onlink if it is inside one of them', async () => {
		const { pretended } = await ranOn({ wish: [nic(0, { routes: [{ to: '10.9.0.0/16', via: '10.0.0.7' }] })] })
		expect(toNine(pretended.now())).toEqual([{ via: '10.0.0.7', onlink: false }])
	})

	test('is set to onlink again if another program has changed this', async () => {
		const first = (await ranOn({ wish })).pretended.now()
		const changed = { ...first, routes: first.routes.map(one => (one.to === '10.9.0.0/16' ? { ...one, onlink: false } : one)) }
		const ran = await ranOn({ start: changed, wish })
		expect(ran.report).toMatchObject({ outcome: 'Succeeded', changes: 1 })
		expect(toNine(ran.pretended.now())).toEqual([{ via: '10.99.0.1', onlink: true }])
	})

	test.each([true, false])('of a route that depends on a replaced address stays only if it is onlink: %s', async onlink => {
		const first = (await ranOn({ wish: [nic(0)] })).pretended.now()
		const theirs = route({ to: '10.9.0.0/16', via: '10.0.0.7', link: 5, onlink })
		const start = withRoutes(first, theirs)
		const ran = await ranOn({ start, wish: [nic(0, { address: '10.8.0.23', cidr: '10.8.0.0/24', gateway: '10.8.0.1' })] })
		expect(ran.report, String(ran.bug)).toMatchObject({ outcome: 'Succeeded' })
		expect(toNine(ran.pretended.now())).toEqual(onlink ? [{ via: '10.0.0.7', onlink }] : [])
	})
})
