import { describe, expect, test } from 'vitest'
import type { Address } from '../../../agent/model/address.ts'
import type { Route } from '../../../agent/model/route.ts'
import { originalNetwork } from '../../../agent/plan/original-network.ts'
import type { OriginalLink, RecordedLink } from '../../../agent/model/record.ts'
import { hostWith } from '../simulated-host.ts'

/** What a removal restores of the original state of a NIC. */

const mac = 'fa:16:3e:00:00:01'
const leased: Address = { family: 4, cidr: '10.5.0.5/24', global: true, dynamic: true, validSeconds: 3600, flags: ['noprefixroute'] }
const fixed: Address = { family: 4, cidr: '10.6.0.5/24', global: true, dynamic: false }
const linkLocal: Address = { family: 6, cidr: 'fe80::f816:3eff:fe00:1/64', global: false, dynamic: false }

const host = {
	...hostWith([
		{ ifindex: 2, name: 'eth0', mac: '02:00:00:00:00:02', addresses: [{ ...fixed, cidr: '192.168.9.2/24' }] },
		{ ifindex: 3, name: 'multinic0', mac, addresses: [{ ...fixed, cidr: '10.0.0.23/24' }, linkLocal] },
	]),
	seconds: 10_000,
}
const link = host.links[1]

const from = (source?: string): Route => ({
	family: source?.includes(':') ? 6 : 4,
	to: source?.includes(':') ? 'fd07::/64' : '10.7.0.0/16',
	link: 3,
	table: 254,
	metric: 101,
	protocol: 4,
	type: 1,
	scope: 253,
	onlink: false,
	...(source !== undefined && { source }),
})
const sourcesBack = (original: Partial<OriginalLink>, source?: string) => {
	const ours = { id: 0, routes: [], addresses: [], original: { name: 'ens7', up: true, ...original, routes: [from(source)] } }
	return link && originalNetwork(ours as unknown as RecordedLink, link, host)
}

describe('a removal restores a route', () => {
	test.each<[string, Partial<OriginalLink>, string | undefined, number]>([
		['that has no source', { addresses: [leased], daemon: 'NetworkManager' }, undefined, 1],
		['whose source is restored', { addresses: [fixed] }, '10.6.0.5', 1],
		['whose source is a lease that is restored', { addresses: [leased], observed: 9_000 }, '10.5.0.5', 1],
		['whose source is an address of another link', {}, '192.168.9.2', 1],
		['whose source is the link-local address that the kernel adds', {}, 'fe80::f816:3eff:fe00:1', 1],
		['but not one whose source is a lease that the daemon requests', { addresses: [leased], daemon: 'NetworkManager' }, '10.5.0.5', 0],
		['but not one whose source is an expired lease', { addresses: [leased], observed: 6_000 }, '10.5.0.5', 0],
		['but not one whose source is an address of MultiNIC, which is removed', {}, '10.0.0.23', 0],
	])('%s', (_, original, source, count) => {
		expect(sourcesBack(original, source)?.routes).toHaveLength(count)
	})
})
