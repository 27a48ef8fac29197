import { describe, expect, test } from 'vitest'
import type { Address } from '../../../agent/model/address.ts'
import type { HostState } from '../../../agent/model/host-state.ts'
import type { OriginalLink, RecordedLink } from '../../../agent/model/record.ts'
import type { Route } from '../../../agent/model/route.ts'
import { addressesAfterRelease, afterReleases } from '../../../agent/plan/after-release.ts'
import { DEFAULT_BASES } from '../../../contract/bases.ts'
import { addressOf, hostOf, linkOf, oursOf, routeOf, routeOver } from './selected.ts'

/** The addresses and routes of a host after MultiNIC has released link 3, to which it added 10.0.0.23. */

const own = addressOf('10.0.0.23/24')
const theirs = addressOf('10.5.0.5/24')
const made = addressOf('fe80::f816:3eff:fe00:3/64', { global: false })
const before = addressOf('10.6.0.5/24')
const connected = (to: string, more: Partial<Route> = {}) => routeOf(to, { protocol: 2, ...more })
const oursWith = (original: Partial<OriginalLink>) => oursOf({ addresses: ['10.0.0.23/24'], original })
const released = (host: HostState, ours: RecordedLink) => afterReleases([{ ours, link: linkOf(host) }], [DEFAULT_BASES], host)

describe('a released link has', () => {
	test.each<[title: string, addresses: Address[], original: Address[], after: Address[]]>([
		['no address of MultiNIC', [own], [], []],
		['the addresses of other programs', [own, theirs, made], [], [theirs, made]],
		['its original addresses', [own, theirs], [before], [theirs, before]],
		['an original address that it still has in its original form', [{ ...before, metric: 7 }, own], [before], [before]],
		['an original address that MultiNIC also configured', [own], [{ ...own, metric: 7 }], [{ ...own, metric: 7 }]],
		['no lease', [addressOf('10.4.0.5/24', { dynamic: true })], [], []],
	])('%s', (_, addresses, original, expected) => {
		const host = hostOf({ addresses })
		const ours = oursWith({ addresses: original as never })
		expect(addressesAfterRelease({ ours, link: linkOf(host) }, host)).toEqual(expected)
		const { links } = released(host, ours)
		expect(links.map(link => link.addresses)).toEqual([[], expected])
	})
})

describe('a host keeps, after the release,', () => {
	const elsewhere = [
		connected('192.168.9.0/24', { link: 2 }),
		routeOf('10.8.0.0/16', { link: 2 }),
		routeOf('10.1.0.0/16', { link: 2, table: 100 }),
	]
	const back = routeOf('10.7.0.0/16')
	test.each<[title: string, routes: Route[], kept: Route[]]>([
		['routes over other links', elsewhere, elsewhere],
		['the connected route of an address that stays', [connected('10.5.0.0/24')], [connected('10.5.0.0/24')]],
		['no connected route of an address that is removed', [connected('10.0.0.0/24')], []],
		['a route of another program with the protocol of the kernel', [connected('10.3.0.0/16')], [connected('10.3.0.0/16')]],
		['no route in a table of MultiNIC', [routeOf('10.9.0.0/16', { table: 100 })], []],
		['no route with a next hop that only the address reaches', [routeOf('10.9.0.0/16', { via: '10.0.0.1' })], []],
		['a route of another program', [routeOf('10.9.0.0/16', { via: '10.5.0.1' })], [routeOf('10.9.0.0/16', { via: '10.5.0.1' })]],
	])('%s', (_, routes, kept) => {
		const host = hostOf({ addresses: [own, theirs] }, { routes })
		expect(released(host, oursWith({})).routes).toEqual(kept)
		expect(released(host, oursWith({ routes: [back] as never })).routes).toEqual([...kept, back])
	})

	test('an original route once', () => {
		expect(released(hostOf({ addresses: [own] }, { routes: [back] }), oursWith({ routes: [back] as never })).routes).toEqual([back])
	})

	test('no route over a link that was down before, and restores none there', () => {
		const host = hostOf({ addresses: [own, theirs] }, { routes: [...elsewhere, connected('10.5.0.0/24'), routeOver([2, 3])] })
		expect(released(host, oursWith({ up: false, routes: [back] as never })).routes).toEqual(elsewhere)
	})

	test('everything if the released link no longer exists', () => {
		const host = hostOf({ addresses: [own] })
		expect(afterReleases([{ ours: oursWith({}), link: undefined }], [DEFAULT_BASES], host)).toEqual(host)
	})
})

test('several links can be released', () => {
	const host = hostOf({ addresses: [own] })
	const links = host.links.map(link => ({ ...link, addresses: [own] }))
	const all = links.map(link => ({ ours: oursWith({}), link }))
	expect(afterReleases(all, [DEFAULT_BASES], { ...host, links }).links.map(({ addresses }) => addresses)).toEqual([[], []])
})
