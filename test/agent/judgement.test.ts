import { describe, expect, test } from 'vitest'
import type { Link } from '../../agent/model/host-state.ts'
import type { Route } from '../../agent/model/route.ts'
import { hardwareOnly, match } from '../../agent/plan/match-link.ts'
import { preflight } from '../../agent/plan/preflight.ts'
import type { Question } from '../../agent/plan/preflight-input.ts'
import type { RecordedLink } from '../../agent/model/record.ts'
import { settle, type WantedInterface } from '../../contract/interface.ts'
import { hostWith } from './simulated-host.ts'

const mac = 'fa:16:3e:37:c3:f1'
const link = (more: Partial<Link> = {}): Link => hostWith([{ ifindex: 3, name: 'ens7', mac, ...more }]).links[0] as Link
const other = (more: Partial<Link>): Link => ({ ...link(), ifindex: 4, name: 'ens8', mac: 'fa:16:3e:00:00:99', ...more })

describe('a MAC matches its link', () => {
	test.each<[title: string, links: Link[], found: string]>([
		['by the MAC it has', [link(), other({})], 'ens7'],
		['by the MAC it was made with, though it has another now', [link({ mac: '02:00:00:00:00:01', permanentMac: mac })], 'ens7'],
		[
			'by the made MAC before one that merely has it',
			[link({ permanentMac: '02:00:00:00:00:01' }), other({ mac: '02:00:00:00:00:02', permanentMac: mac })],
			'ens8',
		],
		['not on a bridge, bond or VLAN that borrowed it', [link({ kind: 'bridge' }), other({ mac })], 'ens8'],
		['not on something that is no Ethernet', [link({ ethernet: false })], 'WaitingForDevice'],
		['not at all while it is not there', [other({})], 'WaitingForDevice'],
		['not when two have it', [link(), other({ mac })], 'Ambiguous'],
	])('%s', (_, links, found) => {
		const result = match(mac, links, hardwareOnly)
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
type Case = Partial<Omit<Question, 'link' | 'host' | 'own'>> & {
	link?: Link
	others?: Link[]
	routes?: Route[]
	match?: string
}
const NETWORK = '/etc/systemd/network/99-dhcp.network'
const byNetworkd = { managedBy: 'systemd-networkd' as const, networkFile: NETWORK, addresses: [address('172.16.0.1/24', true)] }

describe('a link is refused', () => {
	test.each<[title: string, given: Case, says: RegExp | undefined]>([
		['not when it is free', {}, undefined],
		['when it is a port of a bridge', { link: link({ master: 'br0' }) }, /^ens7 is a port of br0 \(ip link show master br0\)$/],
		[
			'when a VLAN stands on it',
			{ others: [other({ kind: 'vlan', lower: 3, name: 'vlan5' })] },
			/^vlan5 is on top of ens7 \(ip -d link show dev vlan5\)$/,
		],
		["not because of a veth's other end", { others: [other({ kind: 'veth', lower: 3 })] }, undefined],
		[
			'when Kubernetes knows the node by its address',
			{ link: link({ addresses: [address('10.0.0.23/24')] }), nodeAddresses: ['10.0.0.23'] },
			/knows this node/,
		],
		[
			'when its wanted address is the one by which Kubernetes knows the node, wherever that is',
			{ nodeAddresses: ['10.0.0.23'] },
			/^10\.0\.0\.23 is wanted here, and Kubernetes knows this node by it \(ip addr show to 10\.0\.0\.23\)$/,
		],
		['when that is written otherwise', { nic: six, nodeAddresses: ['FD00:0::0:23'] }, /^fd00::23 is wanted here/],
		['not for another address of the same network', { nodeAddresses: ['10.0.0.24'] }, undefined],
		[
			'when an interface before it wants the same address',
			{ interfaces: settle([{ id: 9, macAddress: mac }, ...twice]), nic: second },
			/^10\.0\.0\.23 is wanted on multinic3 as well \(kubectl get /,
		],
		['not when one after it does', { interfaces: settle(twice), nic: first }, undefined],
		['when it carries the default route', { routes: [defaultVia(0, 3)] }, /default route/],
		['not when another default route is better', { routes: [defaultVia(100, 3), defaultVia(0, 4)] }, undefined],
		[
			'when it carries it as one of several next hops',
			{ routes: [defaultVia(0, undefined, { nextHops: [hop(3), hop(4)] })] },
			/^ens7 carries the default route of this node \(ip route show default\)$/,
		],
		[
			'when it carries it as one of several next hops by DHCP',
			{ routes: [defaultVia(100, undefined, { nextHops: [hop(4), hop(3)], protocol: 16 })] },
			/default route/,
		],
		['when it carries it by a next hop object', { routes: [defaultVia(0, 3, { nextHopId: 7 })] }, /default route/],
		['when it carries it in an encapsulation', { routes: [defaultVia(0, 3, { encap: 'mpls 100' })] }, /default route/],
		[
			'when it carries one half of the address space',
			{ routes: [defaultVia(0, 4), defaultVia(0, 3, { to: '128.0.0.0/1' })] },
			/default route/,
		],
		[
			'when it carries the default route below the halves of a tunnel',
			{ routes: [defaultVia(0, 3), defaultVia(0, 4, { to: '0.0.0.0/1' }), defaultVia(0, 4, { to: '128.0.0.0/1' })] },
			/default route/,
		],
		['not for several next hops that lose', { routes: [defaultVia(100, undefined, { nextHops: [hop(3)] }), defaultVia(0, 4)] }, undefined],
		[
			'when a route to a network leads over it and another link',
			{ routes: [defaultVia(0, undefined, { to: '10.50.0.0/16', nextHops: [hop(3), hop(4)] })], others: [other({})] },
			/^the route to 10\.50\.0\.0\/16 leads over ens7 and ens8 \(ip route show 10\.50\.0\.0\/16 table all\)$/,
		],
		[
			'when such a route is in another table, of IPv6',
			{ routes: [defaultVia(0, undefined, { family: 6, to: 'fd50::/16', table: 7, nextHops: [hop(4), hop(3)] })] },
			/\(ip -6 route show fd50::\/16 table all\)$/,
		],
		[
			'not when it is ours by then',
			{ routes: [defaultVia(0, undefined, { to: '10.50.0.0/16', nextHops: [hop(3), hop(4)] })], ours },
			undefined,
		],
		[
			'when a default route by DHCP on it is the best',
			{ routes: [defaultVia(100, 3, { protocol: 16 }), defaultVia(200, 4)] },
			/default route/,
		],
		[
			'not when a default route by DHCP on it loses',
			{ routes: [defaultVia(100, 4, { protocol: 16 }), defaultVia(200, 3, { protocol: 16 })] },
			undefined,
		],
		[
			'not for a router where the node lives by IPv4',
			{ routes: [defaultVia(0, 4), byRouter(3)], nodeAddresses: ['192.168.9.2'] },
			undefined,
		],
		[
			'not for a router where the API server has an IPv4 address too',
			{ routes: [defaultVia(0, 4), byRouter(3)], nodeAddresses: ['192.168.9.2'], apiServer: '10.96.0.1' },
			undefined,
		],
		[
			'when a router is what the node lives by',
			{ routes: [defaultVia(0, 4), byRouter(3)], nodeAddresses: ['192.168.9.2', 'fd00::2'] },
			/\(ip -6 route show default\)$/,
		],
		[
			'when a router is how the API server is reached',
			{ routes: [defaultVia(0, 4), byRouter(3)], nodeAddresses: ['192.168.9.2'], apiServer: 'fd00::1' },
			/default route/,
		],
		['when nothing else leads outside than a router on it', { routes: [byRouter(3)], nodeAddresses: ['192.168.9.2'] }, /default route/],
		['when nothing is known of the node and a router is on it', { routes: [defaultVia(0, 4), byRouter(3)] }, /default route/],
		['not where a router is on the primary link too', { routes: [byRouter(4), byRouter(3)], nodeAddresses: ['fd00::2'] }, undefined],
		[
			'when a default route of IPv6 is static',
			{ routes: [defaultVia(0, 4), { ...byRouter(3), protocol: 4 }], nodeAddresses: ['192.168.9.2'] },
			/\(ip -6 route show default\)$/,
		],
		['not for a default route that we gave it', { routes: [defaultVia(1100, 3)], ours }, undefined],
		['when it has an address that nobody wants', { link: link({ addresses: [address('172.16.0.1/24')] }) }, /172\.16\.0\.1\/24/],
		['not for an address that is wanted', { link: link({ addresses: [address('10.0.0.23/24')] }) }, undefined],
		['not for a lease', { link: link({ addresses: [address('172.16.0.1/24', true)] }) }, undefined],
		['not for what the kernel gives every link', { link: link({ addresses: [address('fe80::1/64')] }) }, undefined],
		['not for an address that we gave it before', { link: link({ addresses: [address('10.0.0.22/24')] }), ours }, undefined],
		['not for one that we gave it even earlier', { link: link({ addresses: [address('10.0.0.21/24')] }), ours }, undefined],
		['not when networkd will let go of it by its new name', { link: link(byNetworkd), match: 'Name=en* eth*' }, undefined],
		[
			'when networkd would go on with it under any name',
			{ link: link(byNetworkd), match: 'Name=*' },
			/configures ens7 by .*99-dhcp.network.*except/,
		],
		[
			'when networkd would go on with it by an alternative name',
			{ link: link({ ...byNetworkd, altnames: ['enp0s7'] }), match: 'Name=enp*' },
			/99-dhcp.network, which is for enp0s7 as well, an alternative name of this NIC.*networkctl status ens7/,
		],
		[
			'when udev would make its old name an alternative name',
			{ link: link({ ...byNetworkd, altnames: ['enp0s7'] }), match: 'Name=ens*' },
			/which is for ens7 as well/,
		],
		['not when networkd has it by a file of ours', { link: link(byNetworkd), match: 'Name=*', ours }, undefined],
		['when its name could not be given back', { link: link({ name: 'a#b' }) }, /could not be restored/],
		[
			'when its table holds a route over another link',
			{ routes: [{ ...defaultVia(0, 1), table: 100 }] },
			/^table 100 is needed for multinic0 and has a route to 0\.0\.0\.0\/0 \(ip route show table 100\)/,
		],
		['not for a route of its own there', { routes: [{ ...defaultVia(0, 3), table: 100 }] }, undefined],
		[
			'not when it gets back one that is not too small',
			{ nic: six, link: link({ mtu: 1200 }), ours: { ...ours, mtu: 1200, original: { mtu: 1500 } } as RecordedLink },
			undefined,
		],
		[
			'when its MTU is too small for its IPv6 address',
			{ nic: six, link: link({ mtu: 1200 }) },
			/^fd00::23\/64 needs .* 1280 or more, not 1200 /,
		],
		['when it cannot carry the MTU', { link: link({ maxMtu: 1400 }) }, /1400 or less, not 1450/],
	])('%s', (_, { link: own = link(), others = [], routes = [], match, ...more }, says) => {
		if (!nic) throw new Error('no nic')
		const files = match === undefined ? {} : { [NETWORK]: { content: `[Match]\n${match}\n`, mode: 0o644, gid: 0 } }
		const host = { ...hostWith([]), links: [own, ...others], routes, files }
		const refusal = preflight({ nic, link: own, host, ours: undefined, nodeAddresses: [], interfaces: [nic], own: new Set([3]), ...more })
		if (says) expect(refusal?.message).toMatch(says)
		else expect(refusal).toBeUndefined()
	})
})
