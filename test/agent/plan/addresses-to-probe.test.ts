import { describe, expect, test } from 'vitest'
import type { Link } from '../../../agent/model/host-state.ts'
import type { Route } from '../../../agent/model/route.ts'
import type { Accepted, Selection } from '../../../agent/model/selection.ts'
import { addressesToProbe, addressesToProbeElsewhere } from '../../../agent/plan/addresses-to-probe.ts'
import { hostWith } from '../simulated-host.ts'
import { addressWith, linkWith, macOf, nicWith, recordWith, routeTo, selectionWith } from './network-builders.ts'

/** The new IPv4 addresses of a link, and the links on which another host may have them. */

const own = linkWith({ up: true, addresses: [addressWith('10.0.0.4/24')] })
const other = (ifindex: number, addresses: string[], more: Partial<Link> = {}) =>
	linkWith({ ifindex, name: `eth${ifindex}`, mac: macOf(9), up: true, addresses: addresses.map(cidr => addressWith(cidr)), ...more })
const attached = (to: string, more: Partial<Route> = {}) => routeTo(to, { link: 5, protocol: 3, scope: 253, ...more })
const shown = (probes: readonly { name: string; ips: readonly string[] }[]) => probes.map(({ name, ips }) => `${name}: ${ips.join(' ')}`)
const probed = (
	wanted: string[],
	links: Link[],
	{ selection = {}, routes = [] }: { selection?: Partial<Selection>; routes?: Route[] } = {},
) => shown(addressesToProbeElsewhere(own, wanted, selectionWith(selection), { ...hostWith([]), links: [own, ...links], routes }))

test('an address with two prefix lengths is probed once', () => {
	expect(addressesToProbe(own, 'multinic0', ['10.0.0.5/24', '10.0.0.5/32'])).toEqual([
		{ kind: 'checkDuplicates', link: 3, name: 'multinic0', ips: ['10.0.0.5'], mac: macOf(0) },
	])
})

describe('a new address is probed', () => {
	test.each<[title: string, links: Link[], routes: Route[], probes: string[]]>([
		['on each link that has its network', [other(5, ['10.0.0.9/24']), other(6, ['10.0.0.8/16'])], [], ['eth5: 10.0.0.5', 'eth6: 10.0.0.5']],
		['on no link in another network', [other(5, ['10.0.1.9/24'])], [], []],
		['on no link that has only the address itself', [other(5, ['10.0.0.5/32'])], [], []],
		['on a link with an on-link route to its network', [other(5, [])], [attached('10.0.0.0/24')], ['eth5: 10.0.0.5']],
		['on no link other than that of an on-link route', [other(5, []), other(6, [])], [attached('10.0.0.0/24')], ['eth5: 10.0.0.5']],
		['on a link with a route to a quarter of the address space', [other(5, [])], [attached('0.0.0.0/2')], ['eth5: 10.0.0.5']],
		['on no link with a route to a half of the address space', [other(5, [])], [attached('0.0.0.0/1')], []],
		['on no link with a host route to it', [other(5, [])], [attached('10.0.0.5/32')], []],
		['on no link because of a kernel route', [other(5, [])], [attached('10.0.0.0/24', { protocol: 2 })], []],
		['on no link because of a route that rejects packets', [other(5, [])], [attached('10.0.0.0/24', { type: 7 })], []],
		['on no link without a carrier', [other(5, ['10.0.0.9/24'], { carrier: false })], [], []],
	])('%s', (_, links, routes, probes) => {
		expect(probed(['10.0.0.5/24'], links, { routes })).toEqual(probes)
	})

	test('on no other link that the run renames', () => {
		const moves = [{ link: 5, from: 'eth5', to: 'multinic1' }]
		expect(probed(['10.0.0.5/24'], [other(5, ['10.0.0.9/24'])], { selection: { moves } })).toEqual([])
	})

	const [managed] = [other(5, ['10.7.0.9/24'])]
	const accepted = (more: Partial<Accepted> = {}): Accepted[] => [
		{ nic: nicWith({ addresses: ['10.0.0.9/24', 'fd00::9/64'] }), link: managed, ours: recordWith(), ...more },
	]
	test.each<[title: string, accepted: Accepted[], probes: string[]]>([
		['on another managed link, in the networks of its interface', accepted(), ['multinic0: 10.0.0.5']],
		['on no managed link that is down', accepted({ link: { ...managed, up: false } }), []],
		['on no managed link without a carrier', accepted({ link: { ...managed, carrier: false } }), []],
		['on no link that MultiNIC did not manage before', accepted({ ours: undefined }), []],
		['on the link itself only by another function', accepted({ link: own }), ['eth5: 10.7.0.5']],
	])('%s', (_, all, probes) => {
		expect(probed(['10.0.0.5/24', '10.7.0.5/24'], [managed], { selection: { accepted: all } })).toEqual(probes)
	})

	test('together with the other new addresses of its network', () => {
		const links = [other(5, ['10.0.0.9/24']), other(6, ['10.1.0.9/24'])]
		expect(probed(['10.0.0.5/24', '10.1.0.5/24', '10.0.0.6/24', '10.2.0.5/24'], links)).toEqual([
			'eth5: 10.0.0.5 10.0.0.6',
			'eth6: 10.1.0.5',
		])
	})

	test('on no other link if its own link already has it', () => {
		expect(probed(['10.0.0.4/16'], [other(5, ['10.0.0.9/24'])])).toEqual([])
	})
})

describe('if too many links have the network of an address, 9 are probed', () => {
	const wide = Array.from({ length: 12 }, (_, at) => other(10 + at, ['10.0.0.9/16']))
	const narrow = other(98, ['10.0.0.9/8', '10.0.0.9/24'])
	const elsewhere = other(99, ['10.0.0.9/8', '10.9.0.9/30'])
	test.each<[title: string, links: Link[]]>([
		['last in the list', [...wide, elsewhere, narrow]],
		['first in the list', [narrow, elsewhere, ...wide]],
	])('including the one with the narrowest network, %s', (_, links) => {
		const probes = probed(['10.0.0.5/24'], links)
		expect(probes).toHaveLength(9)
		expect(probes).toContain('eth98: 10.0.0.5')
		expect(probes).not.toContain('eth99: 10.0.0.5')
	})
})
