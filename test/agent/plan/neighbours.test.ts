import { describe, expect, test } from 'vitest'
import type { Route } from '../../../agent/model/route.ts'
import { distant, neighbours } from '../../../agent/plan/neighbours.ts'
import { hostWith } from '../simulated-host.ts'
import { routeTo } from './network-builders.ts'

/** Sample addresses that are reached over links that a run does not change. */

const known = { touched: new Set([3]), taken: new Set<string>(), pods: [] as string[] }
const overBridge = (to: string, more: Partial<Route> = {}) => routeTo(to, { link: 4, ...more })
const through = (to: string, more: Partial<Route> = {}) => routeTo(to, { link: 4, via: '10.200.0.1', ...more })
const hops = (...links: number[]) => links.map(link => ({ link, weight: 1, onlink: false }))
const found = (routes: Route[], family: 4 | 6 = 4, more: Partial<typeof known> = {}) =>
	neighbours(family, hostWith([], { routes }), { ...known, ...more }).map(({ ip, link }) => `${ip} over ${link}`)
const foundBehind = (routes: Route[], family: 4 | 6 = 4, more: Partial<typeof known> = {}) =>
	distant(family, hostWith([], { routes }), { ...known, ...more }).map(({ ip, link }) => `${ip} over ${link}`)
const podsIn = (first: string, count: number, make: (to: string) => Route) =>
	Array.from({ length: count }, (_, at) => make(`${first}.${at + 1}/32`))

describe('a directly attached neighbour', () => {
	test.each<[title: string, routes: Route[], samples: string[]]>([
		['is in the network of a route', [overBridge('10.5.0.0/24')], ['10.5.0.1 over 4']],
		['is in the network of a route in any table', [overBridge('10.5.0.0/24', { table: 77 })], ['10.5.0.1 over 4']],
		['is the destination of a host route', [overBridge('10.5.0.9/32')], ['10.5.0.9 over 4']],
		['is selected in each network', [overBridge('10.5.0.0/24'), overBridge('10.6.0.0/24')], ['10.5.0.1 over 4', '10.6.0.1 over 4']],
		[
			'in a network precedes one with a host route',
			[overBridge('10.5.0.9/32'), overBridge('10.6.0.0/24')],
			['10.6.0.1 over 4', '10.5.0.9 over 4'],
		],
		['is not in a network that is reached through a next hop', [through('10.5.0.0/24')], []],
		['is not on a link that the run changes', [overBridge('10.5.0.0/24', { link: 3 })], []],
		['is not in a network that is reached over several links', [routeTo('10.5.0.0/24', { nextHops: hops(4, 5) })], []],
		['is not in the local table', [overBridge('10.5.0.9/32', { table: 255 })], []],
		['is not in a network whose route rejects packets', [overBridge('10.5.0.0/24', { type: 7 })], []],
		['is not in a network whose route has no link', [routeTo('10.5.0.0/24')], []],
		['is not in the network of a default route', [overBridge('0.0.0.0/0')], []],
		['is not in the other family', [overBridge('fd05::/64')], []],
	])('%s', (_, routes, samples) => {
		expect(found(routes)).toEqual(samples)
	})

	test('is never link-local', () => {
		expect(found([overBridge('fe80::/64'), overBridge('fd05::/64'), overBridge('10.5.0.0/24')], 6)).toEqual(['fd05::1 over 4'])
	})

	test('never has an address of this host', () => {
		const taken = new Set(['10.5.0.1', '10.6.0.9'])
		expect(found([overBridge('10.5.0.0/24'), overBridge('10.6.0.9/32')], 4, { taken })).toEqual(['10.5.0.2 over 4'])
	})

	const pods = podsIn('10.244.1', 17, to => overBridge(to))
	test.each<[title: string, other: string, more: Partial<typeof known>, isIncluded: boolean]>([
		['of the sixteenth similar host route is included', '10.244.1.16', {}, true],
		['of the seventeenth is not included', '10.244.1.17', {}, false],
		['of another host route in the same pool is not included', '10.244.9.9', {}, false],
		['of another pool is included', '10.245.0.9', {}, true],
		['of another pod network is included', '10.244.9.9', { pods: ['10.244.0.0/21', '10.244.8.0/21'] }, true],
		['of the same pod network is not included', '10.244.1.99', { pods: ['10.244.0.0/21'] }, false],
	])('%s', (_, other, more, isIncluded) => {
		const samples = found([...pods, overBridge(`${other}/32`)], 4, more)
		expect(samples.includes(`${other} over 4`)).toBe(isIncluded)
	})

	test.each<[title: string, other: string, isIncluded: boolean]>([
		['in the same /48 is treated as similar', 'fd05:0:0:9::9', false],
		['in another /48 is not treated as similar', 'fd05:0:1::9', true],
	])('that is IPv6 and %s', (_, other, isIncluded) => {
		const similar = Array.from({ length: 16 }, (_, at) => overBridge(`fd05::${(at + 1).toString(16)}/128`))
		expect(found([...similar, overBridge(`${other}/128`)], 6).includes(`${other} over 4`)).toBe(isIncluded)
	})

	test('has no limit on the number of networks', () => {
		expect(found(Array.from({ length: 140 }, (_, at) => overBridge(`10.5.${at}.0/24`)))).toHaveLength(140)
	})

	test('of host routes is one of at most 128, taken from the pools in turn', () => {
		const pools = Array.from({ length: 9 }, (_, pool) => podsIn(`10.${pool}.0`, 16, to => overBridge(to)))
		const samples = found(pools.flat())
		expect(samples).toHaveLength(128)
		expect(samples.slice(0, 10)).toEqual([...Array.from({ length: 9 }, (_, pool) => `10.${pool}.0.1 over 4`), '10.0.0.2 over 4'])
		expect(samples.at(-1)).toBe('10.1.0.15 over 4')
	})
})

describe('an address that is reached through a next hop', () => {
	const twoHops = [4, 5].map(link => ({ via: '10.200.0.1', link, weight: 1, onlink: false }))
	test.each<[title: string, routes: Route[], samples: string[]]>([
		['is in the network of the route', [through('10.5.0.0/24')], ['10.5.0.1 over 4']],
		['is reached over the first of several links', [routeTo('10.5.0.0/24', { nextHops: twoHops })], ['10.5.0.1 over 4']],
		['is the destination of a host route', [through('10.5.0.9/32')], ['10.5.0.9 over 4']],
		['is in a quarter of the address space', [through('64.0.0.0/2')], ['64.0.0.1 over 4']],
		['is not in half of the address space', [through('128.0.0.0/1')], []],
		['is not in the network of the default route', [through('0.0.0.0/0')], []],
		['is not directly attached', [overBridge('10.5.0.0/24')], []],
		['is not reached over a link that the run changes', [through('10.5.0.0/24', { link: 3 })], []],
		[
			'is not reached over several links if the run changes one',
			[routeTo('10.5.0.0/24', { nextHops: [...twoHops, { ...twoHops[0], link: 3, weight: 1, onlink: false }] })],
			[],
		],
		['is not in a network whose route rejects packets', [through('10.5.0.0/24', { type: 7 })], []],
	])('%s', (_, routes, samples) => {
		expect(foundBehind(routes)).toEqual(samples)
	})

	test('is never an address of this host', () => {
		expect(foundBehind([through('10.5.0.0/24')], 4, { taken: new Set(['10.5.0.1']) })).toEqual(['10.5.0.2 over 4'])
	})

	const similar = Array.from({ length: 16 }, (_, at) => through(`10.5.${at}.0/24`))
	test.each<[title: string, route: Partial<Route>, isIncluded: boolean]>([
		['that is similar is not included', {}, false],
		['over another link is included', { link: 5 }, true],
		['with another source is included', { source: '10.200.0.9' }, true],
		['in another table is included', { table: 77 }, true],
		['to another pool is included', { to: '10.6.0.0/24' }, true],
	])('of a seventeenth route %s', (_, route, isIncluded) => {
		const other = through('10.5.99.0/24', route)
		const sample = `${other.to.replace('0/24', '1')} over ${other.link}`
		expect(foundBehind([...similar, other]).includes(sample)).toBe(isIncluded)
	})
})
