import { describe, expect, test } from 'vitest'
import type { HostState, Link } from '../../agent/model/host-state.ts'
import { plan } from '../../agent/plan/plan.ts'
import { select } from '../../agent/plan/select.ts'
import { type Interface, Interfaces, settle } from '../../contract/interface.ts'
import { afterEvery, hostWith } from './simulated-host.ts'

/** A desired address that another link of the node has. */

const mac = (n: number) => `fa:16:3e:00:00:0${n}`
const nic = (id: number, ...addresses: string[]): Partial<Interface> => ({ id, macAddress: mac(id), addresses })
const wanted = (...nics: Partial<Interface>[]) => ({
	interfaces: settle(Interfaces.parse(nics)),
	nodeAddresses: [],
	kinds: new Set(['hardware']),
	failed: new Map(),
})
const address = (cidr: string, dynamic = false) => {
	const family = cidr.includes(':') ? (6 as const) : (4 as const)
	return { family, cidr, global: !cidr.startsWith('fe80'), dynamic }
}
const node = (...others: Partial<Link>[]): HostState =>
	hostWith([
		{ ifindex: 2, name: 'ens0', mac: mac(0) },
		{ ifindex: 3, name: 'ens1', mac: mac(1) },
		...others.map((other, at) => ({ ifindex: 10 + at, name: 'other', mac: mac(9), ...other })),
	])

function changed(host: HostState, ...nics: Partial<Interface>[]): HostState {
	const { steps } = plan(wanted(...nics), host, {})
	return afterEvery(host, steps, false)
}
const withAddress = (host: HostState, name: string, ...addresses: Link['addresses']): HostState => ({
	...host,
	links: host.links.map(link => (link.name === name ? { ...link, addresses: [...link.addresses, ...addresses] } : link)),
})

describe('a desired address is refused', () => {
	test.each<[title: string, host: HostState, on: string]>([
		['if the primary NIC has it', node({ name: 'mgmt', addresses: [address('10.0.0.23/24')] }), 'mgmt'],
		['if the primary NIC has it from DHCP', node({ name: 'mgmt', addresses: [address('10.0.0.23/24', true)] }), 'mgmt'],
		['if lo has it', node({ ifindex: 1, name: 'lo', ethernet: false, addresses: [address('10.0.0.23/32')] }), 'lo'],
		['if a bridge of pods has it', node({ name: 'cni0', kind: 'bridge', addresses: [address('10.0.0.23/24')] }), 'cni0'],
		[
			'if it is the address of a Service (IPVS)',
			node({ name: 'kube-ipvs0', kind: 'dummy', addresses: [address('10.0.0.23/32')] }),
			'kube-ipvs0',
		],
		[
			'if a VLAN has it with a different prefix length',
			node({ name: 'vlan5', kind: 'vlan', addresses: [address('10.0.0.23/8')] }),
			'vlan5',
		],
		['if the NIC of a refused interface has it', withAddress(node(), 'ens1', address('10.0.0.23/24')), 'ens1'],
		[
			'if another program added it to a managed NIC',
			withAddress(changed(node(), nic(1, '10.0.1.1/24')), 'multinic1', address('10.0.0.23/24')),
			'multinic1',
		],
	])('%s', (_, host, on) => {
		const { accepted, refused } = select(wanted(nic(0, '10.0.0.23/24'), nic(1, '10.0.1.1/24')), host)
		expect(refused.find(({ nic: { id } }) => id === 0)?.refusal).toEqual({
			reason: 'InUse',
			message: `10.0.0.23 is requested on multinic0, but ${on} has it (ip addr show to 10.0.0.23)`,
		})
		expect(accepted.map(({ nic: { id } }) => id)).not.toContain(0)
	})
})

describe('a desired address is accepted', () => {
	test.each<[title: string, host: HostState, nics: Partial<Interface>[]]>([
		[
			'if the NIC of another interface has it from DHCP',
			withAddress(node(), 'ens1', address('10.0.0.23/24', true)),
			[nic(0, '10.0.0.23/24'), nic(1, '10.0.1.1/24')],
		],
		[
			'if it moves from one interface to another',
			changed(node(), nic(0, '10.0.1.1/24'), nic(1, '10.0.0.23/24')),
			[nic(0, '10.0.0.23/24'), nic(1, '10.0.2.1/24')],
		],
		[
			'if two NICs swap their addresses',
			changed(node(), nic(0, '10.0.1.1/24'), nic(1, '10.0.0.23/24')),
			[nic(0, '10.0.0.23/24'), nic(1, '10.0.1.1/24')],
		],
		['if it belongs to an interface that is no longer desired', changed(node(), nic(1, '10.0.0.23/24')), [nic(0, '10.0.0.23/24')]],
		[
			'if it is link-local, even on several links',
			node({ addresses: [address('fe80::1/64')] }),
			[nic(0, 'fe80::1/64'), nic(1, 'fe80::1/64')],
		],
	])('%s', (_, host, nics) => {
		expect(select(wanted(...nics), host).refused).toEqual([])
		const end = changed(host, ...nics)
		expect(plan(wanted(...nics), end, {}).steps).toEqual([])
	})
})

test('an interface that needs the current address of a refused interface is also refused', () => {
	const start = changed(node(), nic(0, '10.0.0.1/24'), nic(1, '10.0.1.1/24'))
	const { refused } = select(
		wanted(nic(0, '10.0.1.1/24'), nic(1, '10.0.2.1/24')),
		withAddress(start, 'multinic1', address('172.16.0.1/24')),
	)
	expect(refused.map(({ nic: { id }, refusal }) => [id, refusal.message.split(',')[0]])).toEqual([
		[1, 'multinic1 has 172.16.0.1/24'],
		[0, '10.0.1.1 is requested on multinic0'],
	])
})

describe('two routes to one network', () => {
	const routed = (...routes: NonNullable<Interface['routes']>) => ({ ...nic(0), address: '10.0.0.23', cidr: '10.0.0.0/24', routes })
	test.each<[string, Partial<Interface>, string | undefined]>([
		[
			'via different next hops are refused',
			routed({ to: '10.9.0.0/16', via: '10.0.0.7' }, { to: '10.9.1.1/16', via: '10.0.0.8' }),
			'multinic0 has two routes to 10.9.0.0/16 in table 100, and the kernel keeps one of them (kubectl get multinicnodeconfigs -o yaml)',
		],
		[
			'with different metrics are both added',
			routed({ to: '10.9.0.0/16', via: '10.0.0.7' }, { to: '10.9.0.0/16', via: '10.0.0.8', metric: 7 }),
			undefined,
		],
		[
			'in different tables are both added',
			routed({ to: '10.9.0.0/16', via: '10.0.0.7' }, { to: '10.9.0.0/16', via: '10.0.0.8', table: 254 }),
			undefined,
		],
		['that are identical are accepted', routed({ to: '10.9.0.0/16', via: '10.0.0.7' }, { to: '10.9.0.0/16', via: '10.0.0.7' }), undefined],
	])('%s', (_, wish, message) => {
		const refused = plan(wanted(wish), node(), {}).refused.map(({ refusal }) => refusal)
		expect(refused).toEqual(message === undefined ? [] : [{ reason: 'InvalidConfig', message }])
	})
})
