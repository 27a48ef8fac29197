import { describe, expect, test } from 'vitest'
import type { Change } from '../../../agent/model/change.ts'
import type { HostState, Link, Neighbour, Rule } from '../../../agent/model/host-state.ts'
import type { RecordedLink } from '../../../agent/model/record.ts'
import type { Route } from '../../../agent/model/route.ts'
import { lossesByCause } from '../../../agent/plan/losses-after-rollback.ts'
import type { Plan } from '../../../agent/plan/plan.ts'
import { DEFAULT_BASES } from '../../../contract/bases.ts'
import { Interfaces, settle } from '../../../contract/interface.ts'
import { hostWith } from '../simulated-host.ts'
import { address, route, rule } from './routing-objects.ts'

/** Whether the run or another program is the cause of what is still lost after a rollback. */

type Named = Partial<Link> & { ifindex: number; name: string }
const [MGMT, VX, ENS7, ENS8, ENS9] = [2, 4, 7, 8, 9]
const links: Named[] = [
	{ ifindex: MGMT, name: 'mgmt', up: true, addresses: [address('192.168.9.2/24')] },
	{ ifindex: VX, name: 'vx0', up: true, kind: 'vxlan' },
	{ ifindex: ENS7, name: 'ens7', altnames: ['enp0s7'], up: true, addresses: [address('10.8.0.5/24')] },
	{ ifindex: ENS8, name: 'ens8', up: true },
	{ ifindex: ENS9, name: 'ens9', up: true },
]
const hostOf = (all: Named[], more: Partial<HostState> = {}) =>
	hostWith(
		all.map(link => ({ mac: `02:00:00:00:00:${link.ifindex + 10}`, ...link })),
		{ rules: [], ...more },
	)
const [nic] = settle(Interfaces.parse([{ id: 0, macAddress: 'fa:16:3e:00:00:00', addresses: ['10.0.0.23/24'], gateway: '10.0.0.1' }]), {
	podNetworks: ['10.244.0.0/16'],
})
const changes: Change[] = [
	{ kind: 'addRoute', route: route('172.16.0.0/16', { via: '10.0.0.1', link: ENS7 }) },
	{ kind: 'removeRoute', route: route('172.17.0.0/16', { link: ENS7, table: 71 }) },
	{ kind: 'addRule', rule: rule(600, { table: 72 }) },
	{ kind: 'removeRule', rule: rule(700, { table: 73 }) },
	{ kind: 'addAddress', link: ENS7, address: address('10.5.0.9/24') },
	{ kind: 'removeAddress', link: ENS8, address: address('10.6.0.9/24') },
	{ kind: 'up', link: ENS7 },
]
const at = (index: number) => hostOf(links).links.find(({ ifindex }) => ifindex === index) as Link
/** Interface 0 gets ens7, interface 1 has lost ens8, and ens9 gets the name of interface 5. */
const plan: Plan = {
	...{ refused: [], kept: [], shared: new Map(), bases: [DEFAULT_BASES], undo: [] },
	accepted: nic ? [{ nic, link: at(ENS7), ours: undefined }] : [],
	released: [{ ours: { id: 1, name: 'multinic1', addresses: [] } as unknown as RecordedLink, link: at(ENS8) }],
	moves: [{ link: ENS9, from: 'ens9', to: 'multinic5' }],
	steps: changes.map(change => ({ id: 0, change })),
}

/** `among`: more links that the host has. */
type Lost = { route?: Route; rule?: Rule; neighbour?: Neighbour; address?: string; link?: Named; among?: Named[] }

/** The host has the lost object before and not after; a lost link has another MTU. */
function lossesAfter({ route: oneRoute, rule: oneRule, neighbour, address: cidr, link, among = [] }: Lost) {
	const all = (mtu: number) => [...links, ...among, ...(link ? [{ ...link, mtu }] : [])]
	const withAddress = all(1_500).map(one =>
		one.ifindex === MGMT && cidr !== undefined ? { ...one, addresses: [...(one.addresses ?? []), address(cidr)] } : one,
	)
	const before = hostOf(withAddress, {
		routes: oneRoute ? [oneRoute] : [],
		rules: oneRule ? [oneRule] : [],
		neighbours: neighbour ? [neighbour] : [],
	})
	const routes = before.routes.filter(other => other !== oneRoute)
	return lossesByCause(plan, before, { ...before, routes, rules: [], neighbours: [], links: hostOf(all(1_400)).links })
}
const causesOf = (lost: Lost) => {
	const { byOthers, byRun } = lossesAfter(lost)
	return [...byOthers.map(() => 'others'), ...byRun.map(() => 'run')]
}

const over = (to: string, more: Partial<Route> = {}) => ({ route: route(to, { link: MGMT, ...more }) })
const vlan7: Named = { ifindex: 20, name: 'vlan7', kind: 'vlan', lower: ENS7, up: true }
/** A route with several next hops, each with its link. */
const through = (...hops: { link: number; via: string }[]) => ({
	route: route('10.77.0.0/16', { nextHops: hops.map(hop => ({ ...hop, weight: 1, onlink: false })) }),
})

describe('the run may be the cause of a lost route', () => {
	test.each<[title: string, lost: Lost, isByRun: boolean]>([
		['not if the route is unrelated to the run', over('10.77.0.0/16', { via: '192.168.9.7' }), false],
		['over a link on top of a NIC', { ...over('10.77.0.0/16', { link: 20 }), among: [vlan7] }, true],
		['over several links, including a NIC', through({ link: MGMT, via: '192.168.9.7' }, { link: ENS7, via: '10.44.0.1' }), true],
		[
			'through several next hops, one of them in a network of the run',
			through({ link: MGMT, via: '192.168.9.7' }, { link: VX, via: '10.0.0.9' }),
			true,
		],
		['not through several next hops over other links', through({ link: MGMT, via: '192.168.9.7' }, { link: VX, via: '10.44.0.1' }), false],
		['in the table of the interface', over('10.77.0.0/16', { table: 100 }), true],
		['in a table from which the run removes a route', over('10.77.0.0/16', { table: 71 }), true],
		['in the table of a rule that the run adds', over('10.77.0.0/16', { table: 72 }), true],
		['in the table of a rule that the run removes', over('10.77.0.0/16', { table: 73 }), true],
		['not in another table', over('10.77.0.0/16', { table: 74 }), false],
		['with an address of the interface as its source', over('10.77.0.0/16', { source: '10.0.0.23' }), true],
		['not with another source', over('10.77.0.0/16', { source: '192.168.9.2' }), false],
		['not with another source in a network of the interface', over('10.77.0.0/16', { source: '10.0.0.24' }), false],
		['through a next hop in the network of the interface', over('10.77.0.0/16', { via: '10.0.0.9' }), true],
		['through a next hop in a network that the NIC has', over('10.77.0.0/16', { via: '10.8.0.9' }), true],
		['through a next hop in a network that the run adds', over('10.77.0.0/16', { via: '10.5.0.1' }), true],
		['through a next hop in a network that the run removes', over('10.77.0.0/16', { via: '10.6.0.1' }), true],
		['to a destination to which the run adds a route', over('172.16.0.0/16'), true],
		['not to that destination in another table', over('172.16.0.0/16', { table: 74 }), false],
	])('%s', (_, lost, isByRun) => {
		expect(causesOf(lost)).toEqual([isByRun ? 'run' : 'others'])
	})
})

const from = (words: string, more: Partial<Rule> = {}) => ({ rule: rule(512, { table: 77, words: `${words} lookup 77`, ...more }) })

describe('the run may be the cause of a lost rule', () => {
	test.each<[title: string, lost: Lost, isByRun: boolean]>([
		['not if the rule is unrelated to the run', from('from 192.168.9.2'), false],
		['not if the rule looks up the main table', from('from all', { table: 254 }), false],
		['for the table of the interface', from('from all', { table: 100 }), true],
		['for a table of a rule that the run adds', from('from all', { table: 72 }), true],
		['with the priority of the interface', from('from all', { priority: 10_000 }), true],
		['with the priority of the rules for pods', from('from all', { priority: 9_990 }), true],
		['with the priority of a rule that the run adds', from('from all', { priority: 600 }), true],
		['with the priority of a rule that the run removes', from('from all', { priority: 700 }), true],
		['that names a NIC', from('from all iif ens7'), true],
		['that names a NIC by an alternative name', from('from all iif enp0s7'), true],
		['that names the interface', from('from all oif multinic0'), true],
		['that names an interface that is removed', from('from all oif multinic1'), true],
		['that names a link by the name that it gets', from('from all oif multinic5'), true],
		['that names a link on top of a NIC', { ...from('from all iif vlan7'), among: [vlan7] }, true],
		['not if it names another link', from('from all iif mgmt'), false],
		['not if it names a part of such a name', from('from all iif ens77'), false],
		['from an address of the interface', from('from 10.0.0.23'), true],
		['from an address of the interface, with a prefix length', from('from 10.0.0.23/32'), true],
		['to an address that the NIC has', from('from all to 10.8.0.5'), true],
		['from an address that the run adds', from('from 10.5.0.9'), true],
		['from an address that the run removes', from('from 10.6.0.9'), true],
		['not from another address of its network', from('from 10.0.0.24'), false],
	])('%s', (_, lost, isByRun) => {
		expect(causesOf(lost)).toEqual([isByRun ? 'run' : 'others'])
	})
})

describe('the run may be the cause of a lost', () => {
	const neighbour = (ip: string, link = VX) => ({ neighbour: { link, ip, mac: '02:00:00:00:00:99' } })
	const onVlan7: Named = { ifindex: 21, name: 'vlan7.8', kind: 'vlan', lower: 20, up: true }
	const br0: Named = { ifindex: 22, name: 'br0', kind: 'bridge', up: true }
	/** A port of br0 on top of a NIC. */
	const port: Named = { ...vlan7, master: 'br0' }
	const other: Named = { ifindex: 23, name: 'tap3', master: 'br0', up: true }
	test.each<[title: string, lost: Lost, isByRun: boolean]>([
		['neighbour at an address of the interface', neighbour('10.0.0.23'), true],
		['neighbour on a link on top of a NIC', { ...neighbour('10.77.0.9', 20), among: [vlan7] }, true],
		['neighbour, but not at another address in a network of the interface', neighbour('10.0.0.24'), false],
		['address of the interface on another link', { address: '10.0.0.23/32' }, true],
		['address, but not another address of its network', { address: '10.0.0.24/24' }, false],
		['link on top of a NIC', { link: vlan7 }, true],
		['link on top of a link on top of a NIC', { link: onVlan7, among: [vlan7] }, true],
		['bridge of a port on top of a NIC', { link: br0, among: [port] }, true],
		['other port of that bridge', { link: other, among: [port, br0] }, true],
		['link on top of another link', { link: { ...vlan7, lower: MGMT } }, false],
		['bridge of other ports', { link: br0, among: [{ ...other, lower: MGMT }] }, false],
	])('%s', (_, lost, isByRun) => {
		expect(causesOf(lost)).toEqual([isByRun ? 'run' : 'others'])
	})
})

test('nothing is lost if the host is as before', () => {
	expect(lossesByCause(plan, hostOf(links), hostOf(links))).toEqual({ byOthers: [], byRun: [] })
})

test('a loss has a description', () => {
	const lost = { address: '192.168.9.77/32', ...over('10.77.0.0/16', { table: 100 }) }
	const { byOthers, byRun } = lossesAfter(lost)
	expect([byOthers, byRun].map(losses => losses.map(({ words }) => words))).toEqual([
		['192.168.9.77/32 on mgmt'],
		['route 10.77.0.0/16 dev mgmt table 100 scope 0 proto 4'],
	])
})
