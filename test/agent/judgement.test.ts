import { describe, expect, test } from 'vitest'
import type { Link } from '../../agent/model/host-state.ts'
import type { Route } from '../../agent/model/route.ts'
import { hardwareOnly, matchLink } from '../../agent/plan/match-link.ts'
import { preflight } from '../../agent/plan/preflight.ts'
import type { PreflightInput } from '../../agent/plan/preflight-input.ts'
import type { RecordedLink } from '../../agent/model/record.ts'
import { settle, type WantedInterface } from '../../contract/interface.ts'
import { hostWith } from './simulated-host.ts'

const mac = 'fa:16:3e:37:c3:f1'
const link = (more: Partial<Link> = {}): Link => hostWith([{ ifindex: 3, name: 'ens7', mac, ...more }]).links[0] as Link
const other = (more: Partial<Link>): Link => ({ ...link(), ifindex: 4, name: 'ens8', mac: 'fa:16:3e:00:00:99', ...more })

describe('a link matches the MAC of an interface', () => {
	test.each<[title: string, links: Link[], found: string]>([
		['by its current MAC', [link(), other({})], 'ens7'],
		['by its permanent MAC if its current MAC is different', [link({ mac: '02:00:00:00:00:01', permanentMac: mac })], 'ens7'],
		[
			'by its permanent MAC rather than another link by its current MAC',
			[link({ permanentMac: '02:00:00:00:00:01' }), other({ mac: '02:00:00:00:00:02', permanentMac: mac })],
			'ens8',
		],
		['not if it is a bridge with the MAC of its port', [link({ kind: 'bridge' }), other({ mac })], 'ens8'],
		['not if it is not an Ethernet device', [link({ ethernet: false })], 'WaitingForDevice'],
		['not if it has a different MAC', [other({})], 'WaitingForDevice'],
		['not if another link has the same MAC', [link(), other({ mac })], 'Ambiguous'],
	])('%s', (_, links, found) => {
		const result = matchLink(mac, links, hardwareOnly)
		expect('reason' in result ? result.reason : result.name).toBe(found)
	})
})

const [nic] = settle([{ id: 0, macAddress: mac, address: '10.0.0.23', cidr: '10.0.0.0/24', mtu: 1450 }])
const [six] = settle([{ id: 0, macAddress: mac, address: 'fd00::23', cidr: 'fd00::/64' }]) as [WantedInterface]
const twice = [
	{ id: 3, macAddress: mac, addresses: ['fd00::7/64', '10.0.0.23/32'] },
	{ id: 5, macAddress: 'fa:16:3e:00:00:99', address: '10.0.0.23', cidr: '10.0.0.0/24' },
]
const [first, second] = settle(twice) as [WantedInterface, WantedInterface]
const address = (cidr: string, dynamic = false) => ({
	family: cidr.includes(':') ? (6 as const) : (4 as const),
	cidr,
	global: !cidr.startsWith('fe80'),
	dynamic,
})
const defaultVia = (metric: number, ifindex: number | undefined, more: Partial<Route> = {}): Route => ({
	family: 4 as const,
	to: '0.0.0.0/0',
	via: '192.0.2.1',
	...(ifindex !== undefined && { link: ifindex }),
	table: 254,
	metric,
	protocol: 4,
	type: 1,
	scope: 0,
	onlink: false,
	...more,
})
const hop = (link: number) => ({ via: '192.0.2.1', link, weight: 1, onlink: false })
const byRouter = (link: number) => defaultVia(1024, link, { family: 6, to: '::/0', via: 'fe80::1', protocol: 9, expiresSeconds: 1800 })
const ours = { addresses: ['10.0.0.22/24'], former: ['10.0.0.21/24'], routes: [] as unknown[] } as RecordedLink
type Case = Partial<Omit<PreflightInput, 'link' | 'host' | 'own'>> & {
	link?: Link
	others?: Link[]
	routes?: Route[]
	match?: string
}
const NETWORK = '/etc/systemd/network/99-dhcp.network'
const byNetworkd = { managedBy: 'systemd-networkd' as const, networkFile: NETWORK, addresses: [address('172.16.0.1/24', true)] }

describe('a NIC is refused', () => {
	test.each<[title: string, given: Case, says: RegExp | undefined]>([
		['not if nothing uses it', {}, undefined],
		['if it is a port of a bridge', { link: link({ master: 'br0' }) }, /^ens7 is a port of br0 \(ip link show master br0\)$/],
		[
			'if a VLAN is on top of it',
			{ others: [other({ kind: 'vlan', lower: 3, name: 'vlan5' })] },
			/^vlan5 is on top of ens7 \(ip -d link show dev vlan5\)$/,
		],
		['not because it is the peer of a veth', { others: [other({ kind: 'veth', lower: 3 })] }, undefined],
		[
			'if one of its addresses is the address of the node in Kubernetes',
			{ link: link({ addresses: [address('10.0.0.23/24')] }), nodeAddresses: ['10.0.0.23'] },
			/lists for this node/,
		],
		[
			'if its desired address is the address of the node in Kubernetes, even if no link has it',
			{ nodeAddresses: ['10.0.0.23'] },
			/^10\.0\.0\.23 is requested here, and Kubernetes lists it for this node \(ip addr show to 10\.0\.0\.23\)$/,
		],
		[
			'if its desired address is the address of the node in Kubernetes in another notation',
			{ nic: six, nodeAddresses: ['FD00:0::0:23'] },
			/^fd00::23 is requested here/,
		],
		['not if the node has another address of the same network in Kubernetes', { nodeAddresses: ['10.0.0.24'] }, undefined],
		[
			'if an earlier interface of the config has the same address',
			{ interfaces: settle([{ id: 9, macAddress: mac }, ...twice]), nic: second },
			/^10\.0\.0\.23 is also requested on multinic3 \(kubectl get /,
		],
		['not if a later interface of the config has the same address', { interfaces: settle(twice), nic: first }, undefined],
		['if it has the default route', { routes: [defaultVia(0, 3)] }, /default route/],
		['not if another default route has a better metric', { routes: [defaultVia(100, 3), defaultVia(0, 4)] }, undefined],
		[
			'if it is one of several next hops of the default route',
			{ routes: [defaultVia(0, undefined, { nextHops: [hop(3), hop(4)] })] },
			/^ens7 has the default route of this node \(ip route show default\)$/,
		],
		[
			'if it is one of several next hops of a default route from DHCP',
			{ routes: [defaultVia(100, undefined, { nextHops: [hop(4), hop(3)], protocol: 16 })] },
			/default route/,
		],
		['if it has the default route through a next hop object', { routes: [defaultVia(0, 3, { nextHopId: 7 })] }, /default route/],
		['if it has the default route with an encapsulation', { routes: [defaultVia(0, 3, { encap: 'mpls 100' })] }, /default route/],
		[
			'if it carries a route to half of the address space',
			{ routes: [defaultVia(0, 4), defaultVia(0, 3, { to: '128.0.0.0/1' })] },
			/default route/,
		],
		[
			'if it has the default route although the routes of a tunnel cover both halves of the address space',
			{ routes: [defaultVia(0, 3), defaultVia(0, 4, { to: '0.0.0.0/1' }), defaultVia(0, 4, { to: '128.0.0.0/1' })] },
			/default route/,
		],
		[
			'not if it is a next hop of a default route with a worse metric',
			{ routes: [defaultVia(100, undefined, { nextHops: [hop(3)] }), defaultVia(0, 4)] },
			undefined,
		],
		[
			'if it and another link are next hops of a route to a network',
			{ routes: [defaultVia(0, undefined, { to: '10.50.0.0/16', nextHops: [hop(3), hop(4)] })], others: [other({})] },
			/^the route to 10\.50\.0\.0\/16 uses ens7 and ens8 \(ip route show 10\.50\.0\.0\/16 table all\)$/,
		],
		[
			'if it and another link are next hops of an IPv6 route in another table',
			{ routes: [defaultVia(0, undefined, { family: 6, to: 'fd50::/16', table: 7, nextHops: [hop(4), hop(3)] })] },
			/\(ip -6 route show fd50::\/16 table all\)$/,
		],
		[
			'not because of a route with several next hops if MultiNIC already manages the NIC',
			{ routes: [defaultVia(0, undefined, { to: '10.50.0.0/16', nextHops: [hop(3), hop(4)] })], ours },
			undefined,
		],
		[
			'if it has the default route with the best metric, from DHCP',
			{ routes: [defaultVia(100, 3, { protocol: 16 }), defaultVia(200, 4)] },
			/default route/,
		],
		[
			'not if it has a default route from DHCP with a worse metric',
			{ routes: [defaultVia(100, 4, { protocol: 16 }), defaultVia(200, 3, { protocol: 16 })] },
			undefined,
		],
		[
			'not for a default route from a router advertisement if the node only has an IPv4 address',
			{ routes: [defaultVia(0, 4), byRouter(3)], nodeAddresses: ['192.168.9.2'] },
			undefined,
		],
		[
			'not for a default route from a router advertisement if the node and the API server only have IPv4 addresses',
			{ routes: [defaultVia(0, 4), byRouter(3)], nodeAddresses: ['192.168.9.2'], apiServer: '10.96.0.1' },
			undefined,
		],
		[
			'if it has a default route from a router advertisement and the node has an IPv6 address',
			{ routes: [defaultVia(0, 4), byRouter(3)], nodeAddresses: ['192.168.9.2', 'fd00::2'] },
			/\(ip -6 route show default\)$/,
		],
		[
			'if it has a default route from a router advertisement and the API server has an IPv6 address',
			{ routes: [defaultVia(0, 4), byRouter(3)], nodeAddresses: ['192.168.9.2'], apiServer: 'fd00::1' },
			/default route/,
		],
		[
			'if the only default route is from a router advertisement on it',
			{ routes: [byRouter(3)], nodeAddresses: ['192.168.9.2'] },
			/default route/,
		],
		[
			'if it has a default route from a router advertisement and the addresses of the node are unknown',
			{ routes: [defaultVia(0, 4), byRouter(3)] },
			/default route/,
		],
		[
			'not for a default route from a router advertisement if the primary link has the same',
			{ routes: [byRouter(4), byRouter(3)], nodeAddresses: ['fd00::2'] },
			undefined,
		],
		[
			'if it has a static IPv6 default route',
			{ routes: [defaultVia(0, 4), { ...byRouter(3), protocol: 4 }], nodeAddresses: ['192.168.9.2'] },
			/\(ip -6 route show default\)$/,
		],
		['not because of a default route if MultiNIC already manages the NIC', { routes: [defaultVia(1100, 3)], ours }, undefined],
		['if it has a static address that is not desired', { link: link({ addresses: [address('172.16.0.1/24')] }) }, /172\.16\.0\.1\/24/],
		['not for a desired address', { link: link({ addresses: [address('10.0.0.23/24')] }) }, undefined],
		['not for a lease', { link: link({ addresses: [address('172.16.0.1/24', true)] }) }, undefined],
		['not for a link-local address', { link: link({ addresses: [address('fe80::1/64')] }) }, undefined],
		['not for an address of the last config', { link: link({ addresses: [address('10.0.0.22/24')] }), ours }, undefined],
		['not for an address of an earlier config', { link: link({ addresses: [address('10.0.0.21/24')] }), ours }, undefined],
		['not if the new name makes networkd release it', { link: link(byNetworkd), match: 'Name=en* eth*' }, undefined],
		[
			'if networkd would manage it with any name',
			{ link: link(byNetworkd), match: 'Name=*' },
			/configures ens7 from .*99-dhcp.network.*exclude/,
		],
		[
			'if networkd would continue to manage it by its alternative name',
			{ link: link({ ...byNetworkd, altnames: ['enp0s7'] }), match: 'Name=enp*' },
			/99-dhcp.network, which also matches enp0s7, an alternative name of this NIC.*networkctl status ens7/,
		],
		[
			'if networkd would continue to manage it by its old name, which udev adds as an alternative name',
			{ link: link({ ...byNetworkd, altnames: ['enp0s7'] }), match: 'Name=ens*' },
			/which also matches ens7/,
		],
		['not because of networkd if MultiNIC already manages it', { link: link(byNetworkd), match: 'Name=*', ours }, undefined],
		['if a removal could not restore its name', { link: link({ name: 'a#b' }) }, /could not be restored/],
		[
			'if its table has a route over another link',
			{ routes: [{ ...defaultVia(0, 1), table: 100 }] },
			/^table 100 is needed for multinic0 and has a route to 0\.0\.0\.0\/0 \(ip route show table 100\)/,
		],
		['not if its table has a route over the NIC itself', { routes: [{ ...defaultVia(0, 3), table: 100 }] }, undefined],
		[
			'not if its MTU is too small for its IPv6 address and the run restores its larger original MTU',
			{ nic: six, link: link({ mtu: 1200 }), ours: { ...ours, mtu: 1200, original: { mtu: 1500 } } as RecordedLink },
			undefined,
		],
		[
			'if its MTU is too small for its IPv6 address',
			{ nic: six, link: link({ mtu: 1200 }) },
			/^fd00::23\/64 needs .* 1280 or more, not 1200 /,
		],
		['if its maximum MTU is below the desired MTU', { link: link({ maxMtu: 1400 }) }, /1400 or less, not 1450/],
	])('%s', (_, { link: own = link(), others = [], routes = [], match, ...more }, says) => {
		if (!nic) throw new Error('no nic')
		const files = match === undefined ? {} : { [NETWORK]: { content: `[Match]\n${match}\n`, mode: 0o644, gid: 0 } }
		const host = { ...hostWith([]), links: [own, ...others], routes, files }
		const refusal = preflight({ nic, link: own, host, ours: undefined, nodeAddresses: [], interfaces: [nic], own: new Set([3]), ...more })
		if (says) expect(refusal?.message).toMatch(says)
		else expect(refusal).toBeUndefined()
	})
})
