import fc from 'fast-check'
import type { Address } from '../../agent/model/address.ts'
import type { HostState, Rule } from '../../agent/model/host-state.ts'
import type { Route } from '../../agent/model/route.ts'
import { connectedRoutes, localRoutes } from '../../agent/plan/predicted-host.ts'
import type { Interface } from '../../contract/interface.ts'
import { BASE_RULES, hostWith } from './simulated-host.ts'

/**
 * Nodes with links of all kinds, addresses, routes and rules, and desired configs for their NICs, as data for the model and as lines for
 * `ip -batch`.
 */

export const MACS = [0, 1, 2].map(n => `fa:16:3e:00:00:0${n}`)

type NodeLink = { name: string; kind?: string; mac?: string; up: boolean; altnames?: string[]; addresses: NodeAddress[] }
/** `far`: the gateway is outside the network of the address, as on some clouds. */
type NodeAddress = { cidr: string; lease?: true; metric?: number; noprefixroute?: true; scope?: 253; label?: string; far?: true }
type NodeRoute = {
	to: string
	via?: string
	dev?: string
	type?: 'blackhole' | 'unreachable'
	several?: [string, string][]
	table?: number
	metric?: number
}
type NodeRule = {
	priority: number
	from?: string
	to?: string
	mark?: [number, number]
	inverted?: true
	iif?: string
	table: number
	suppress?: number
}
/** `localAt`: the priority to which the rule of the local table was moved (IPv4). */
export type Node = { links: NodeLink[]; routes: NodeRoute[]; rules: NodeRule[]; localAt?: number }

const none = { nil: undefined }
const maybe = <T>(value: T) => fc.option(fc.constant(value), none)

const primary = fc.constantFrom<NodeAddress>(
	{ cidr: '192.168.9.2/24' },
	{ cidr: '192.168.9.2/24', metric: 100 },
	{ cidr: '192.168.9.2/24', lease: true, metric: 100 },
	{ cidr: '192.168.9.2/32' },
	{ cidr: '192.168.9.2/32', far: true },
)
/**
 * The addresses that a NIC has before the run; some of them are also desired. No address is in the network of a rule of the node, because
 * the rule would no longer match packets of the node after the address is removed.
 */
const before = fc.constantFrom<(n: number) => NodeAddress[]>(
	() => [],
	() => [],
	() => [],
	() => [{ cidr: '172.16.1.9/24', lease: true }],
	() => [{ cidr: '192.168.9.60/24', lease: true, metric: 200 }],
	() => [{ cidr: '172.17.1.9/24' }],
	n => [{ cidr: `10.0.${n}.23/24`, lease: true, metric: 513 }],
	n => [{ cidr: `10.0.${n}.23/24`, scope: 253, label: `ens${n}:vip` }],
	n => [
		{ cidr: '172.16.1.9/24', lease: true },
		{ cidr: `10.0.${n}.23/24`, metric: 7 },
	],
	n => [
		{ cidr: `10.0.${n}.23/24`, label: `ens${n}:1` },
		{ cidr: '172.16.1.9/24', lease: true, label: `ens${n}:b` },
	],
	n => [{ cidr: `fd00:${n}::23/64`, lease: true, metric: 513 }],
)

const choices = fc.record({
	primary,
	six: fc.boolean(),
	nics: fc.tuple(before, before, before),
	nicsUp: fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()),
	altname: maybe('enp0s7'),
	uplink: fc.boolean(),
	several: fc.boolean(),
	metric: fc.constantFrom(0, 100),
	localAt: fc.option(fc.constantFrom(100, 15_000), { ...none, freq: 8 }),
	routes: fc.subarray<NodeRoute>([
		{ to: '10.77.0.0/16', via: '192.168.9.7', dev: 'mgmt' },
		{ to: '10.42.0.0/24', type: 'blackhole' },
		{ to: '10.0.0.128/25', via: '192.168.9.8', dev: 'mgmt' },
		{ to: '10.0.0.0/16', via: '192.168.9.9', dev: 'mgmt' },
		{ to: '0.0.0.0/0', dev: 'br0', table: 7120 },
		{ to: '10.0.1.0/24', dev: 'br0', table: 77 },
		{ to: '10.0.2.0/24', type: 'unreachable', table: 77 },
	]),
	rules: fc.subarray<NodeRule>([
		{ priority: 105, table: 254, suppress: 0 },
		{ priority: 110, mark: [0x1bd00, 0xff00], inverted: true, table: 7120 },
		{ priority: 500, from: '10.200.0.0/16', table: 77 },
		{ priority: 600, mark: [0x400, 0xfff], table: 77 },
		{ priority: 700, to: '10.0.1.0/24', table: 77 },
		{ priority: 800, iif: 'br0', table: 77 },
		{ priority: 20_000, mark: [0x400, 0xfff], table: 7120 },
	]),
})

export const anyNode: fc.Arbitrary<Node> = choices.map(chosen => ({
	links: [
		{ name: 'mgmt', up: true, addresses: [chosen.primary, ...(chosen.six ? [{ cidr: 'fd99::2/64' }] : [])] },
		...(chosen.uplink ? [{ name: 'up1', up: true, addresses: [{ cidr: '192.168.7.2/24' }] }] : []),
		{ name: 'br0', kind: 'bridge', up: true, addresses: [{ cidr: '10.200.0.1/16' }] },
		...chosen.nics
			.map((had, n) => ({ addresses: had(n).filter(({ cidr }) => !cidr.startsWith('10.0.1.')), n }))
			.map(({ addresses, n }) => ({
				name: `ens${n}`,
				mac: MACS[n] ?? '',
				up: addresses.length > 0 || chosen.nicsUp[n] === true,
				addresses,
				...(n === 0 && chosen.altname !== undefined && { altnames: [chosen.altname] }),
			})),
	],
	routes: [
		...(chosen.primary.cidr.endsWith('/32') ? reached(chosen.primary).map(to => ({ to, dev: 'mgmt' })) : []),
		chosen.uplink && chosen.several
			? {
					to: '0.0.0.0/0',
					several: [
						['192.168.9.1', 'mgmt'],
						['192.168.7.1', 'up1'],
					] as [string, string][],
					metric: chosen.metric,
				}
			: { to: '0.0.0.0/0', via: chosen.primary.far ? '172.31.1.1' : '192.168.9.1', dev: 'mgmt', metric: chosen.metric },
		...chosen.routes,
	],
	rules: chosen.rules,
	...(chosen.localAt !== undefined && { localAt: chosen.localAt }),
}))

function reached({ far }: NodeAddress): string[] {
	return far ? ['172.31.1.1', ...[1, 7, 8, 9].map(n => `192.168.9.${n}`)].map(ip => `${ip}/32`) : ['192.168.9.0/24']
}

const wish = fc.record({
	network: fc.constantFrom('own', 'own', 'own', 'primary', 'narrow', 'wide', 'pods', 'alone', 'six', 'nothing'),
	gateway: fc.boolean(),
	policyRouting: fc.constantFrom(true, true, true, false),
	connectedRoute: fc.constantFrom(true, true, false),
	defaultRoute: fc.constantFrom(false, false, true),
	mtu: fc.option(fc.constantFrom(1_300, 1_400), none),
	route: fc.option(fc.constantFrom('0.0.0.0/0', '10.96.0.0/16', '10.200.1.0/24', '10.50.0.0/16'), none),
	main: fc.boolean(),
})

/** Desired interfaces for some of the NICs of such a node. */
export const anyNodeWish: fc.Arbitrary<Interface[]> = fc
	.tuple(fc.subarray([0, 1, 2]), fc.tuple(wish, wish, wish))
	.map(([ids, wishes]) => ids.map(id => interfaceOf(id, wishes[id] ?? wishes[0])))

const networks: Readonly<Record<string, (id: number) => { address: string; cidr: string; gateway: string } | undefined>> = {
	own: id => ({ address: `10.0.${id}.23`, cidr: `10.0.${id}.0/24`, gateway: `10.0.${id}.1` }),
	primary: id => ({ address: `192.168.9.${50 + id}`, cidr: '192.168.9.0/24', gateway: '192.168.9.1' }),
	narrow: id => ({ address: `192.168.9.${130 + id}`, cidr: '192.168.9.128/26', gateway: '192.168.9.129' }),
	wide: id => ({ address: `192.168.8.${50 + id}`, cidr: '192.168.8.0/23', gateway: '192.168.8.1' }),
	pods: id => ({ address: `10.200.1.${23 + id}`, cidr: '10.200.1.0/24', gateway: '10.200.1.1' }),
	alone: id => ({ address: `10.0.${id}.23`, cidr: `10.0.${id}.23/32`, gateway: `10.0.${id}.1` }),
	six: id => ({ address: `fd00:${id}::23`, cidr: `fd00:${id}::/64`, gateway: `fd00:${id}::1` }),
	nothing: () => undefined,
}

type Chosen = typeof wish extends fc.Arbitrary<infer T> ? T : never

function interfaceOf(id: number, { network, gateway, policyRouting, connectedRoute, defaultRoute, mtu, route, main }: Chosen): Interface {
	const { gateway: hop, ...addressed } = networks[network]?.(id) ?? { gateway: undefined }
	const isFour = hop !== undefined && !hop.includes(':')
	return {
		id,
		macAddress: MACS[id] ?? '',
		...addressed,
		policyRouting,
		...(policyRouting && { connectedRoute }),
		...(mtu !== undefined && { mtu }),
		...(hop !== undefined && gateway && { gateway: hop, defaultRoute }),
		...(isFour && route !== undefined && { routes: [{ to: route, via: hop, ...(main && { table: 254 }) }] }),
	}
}

/** @returns the observed state of the node, including the routes that the kernel derives from its addresses */
export function stateOf(node: Node): HostState {
	const links = node.links.map(({ name, mac, up, kind, altnames = [], addresses }, at) => ({
		ifindex: at + 2,
		name,
		mac: mac ?? `02:00:00:00:00:${(at + 16).toString(16)}`,
		up,
		altnames,
		addresses: addresses.map(addressOf),
		sysctls: mac === undefined ? {} : { 'ipv4/rp_filter': '1', 'ipv4/arp_ignore': '0', 'ipv4/arp_announce': '0', 'ipv6/accept_ra': '1' },
		...(kind !== undefined && { kind }),
	}))
	const indexes = new Map(links.map(({ name, ifindex }) => [name, ifindex]))
	const routes = node.routes.map(route => routeOf(route, indexes))
	return withKernel(hostWith(links, { routes, rules: [...baseRules(node), ...node.rules.map(ruleOf)] }))
}

function baseRules({ localAt }: Node): Rule[] {
	return BASE_RULES.map(rule => (localAt !== undefined && rule.family === 4 && rule.table === 255 ? { ...rule, priority: localAt } : rule))
}

/** Recomputes the routes that the kernel derives from addresses. */
export function withKernel(host: HostState): HostState {
	const set = host.routes.filter(({ protocol }) => protocol !== 2)
	return {
		...host,
		routes: [...host.links.filter(({ up }) => up).flatMap(link => [...connectedRoutes(link), ...localRoutes(link)]), ...set],
	}
}

function addressOf({ cidr, lease, metric, noprefixroute, scope, label }: NodeAddress): Address {
	return {
		family: cidr.includes(':') ? 6 : 4,
		cidr,
		global: true,
		dynamic: lease === true,
		...(lease && { validSeconds: 3_600 }),
		...(metric !== undefined && { metric }),
		...(noprefixroute && { flags: ['noprefixroute'] }),
		...(scope !== undefined && { scope }),
		...(label !== undefined && { label }),
	} as Address
}

const TYPES = { blackhole: 6, unreachable: 7 }

function routeOf({ to, via, dev, type, several, table = 254, metric = 0 }: NodeRoute, indexes: ReadonlyMap<string, number>): Route {
	const link = dev === undefined ? undefined : indexes.get(dev)
	return {
		family: 4,
		to,
		table,
		metric,
		protocol: 3,
		type: type === undefined ? 1 : TYPES[type],
		scope: via === undefined ? 253 : 0,
		onlink: false,
		...(via !== undefined && { via }),
		...(link !== undefined && { link }),
		...(several && { nextHops: several.map(([hop, name]) => ({ via: hop, link: indexes.get(name) ?? 0, weight: 1, onlink: false })) }),
	}
}

function ruleOf({ priority, from, to, mark, inverted, iif, table, suppress }: NodeRule): Rule {
	return {
		family: 4,
		priority,
		from: from ?? '0.0.0.0/0',
		table,
		plain: false,
		words: `rule ${priority}`,
		...(to !== undefined && { to }),
		...(mark && { mark: { value: mark[0], mask: mark[1] } }),
		...(inverted && { inverted }),
		...(iif !== undefined && { iif }),
		...(suppress !== undefined && { suppressPrefixLength: suppress }),
	}
}

/** @returns lines that create such a node in an empty network namespace */
export function linesOf({ links, routes, rules, localAt }: Node): string[] {
	return [
		...links.flatMap(({ name, kind, mac, up, altnames = [], addresses }) => [
			kind === undefined
				? `link add ${name}${mac ? ` address ${mac}` : ''} type veth peer name ${name}-peer\nlink set ${name}-peer up`
				: `link add ${name} type ${kind}`,
			`link set ${name} addrgenmode none`,
			...altnames.map(other => `link property add dev ${name} altname ${other}`),
			...(up ? [`link set ${name} up`] : []),
			...addresses.map(addressLine(name)),
		]),
		...routes.map(routeLine),
		...rules.map(ruleLine),
		...(localAt === undefined ? [] : [`rule add lookup 255 priority ${localAt}`, 'rule del priority 0']),
	]
}

function addressLine(name: string) {
	return ({ cidr, lease, metric, noprefixroute, scope, label }: NodeAddress) =>
		[
			`addr add ${cidr} dev ${name}`,
			cidr.includes(':') ? 'nodad' : '',
			noprefixroute ? 'noprefixroute' : '',
			metric === undefined ? '' : `metric ${metric}`,
			scope === undefined ? '' : `scope ${scope}`,
			label === undefined ? '' : `label ${label}`,
			lease ? 'valid_lft 3600 preferred_lft 3600' : '',
		]
			.filter(Boolean)
			.join(' ')
}

function routeLine({ to, via, dev, type, several, table = 254, metric = 0 }: NodeRoute): string {
	const hops = several?.map(([hop, name]) => `nexthop via ${hop} dev ${name}`).join(' ')
	const way = [via === undefined ? '' : `via ${via}`, dev === undefined ? '' : `dev ${dev}`].filter(Boolean).join(' ')
	return `route add ${type ?? ''} ${to} ${hops === undefined ? way : ''} table ${table}${metric ? ` metric ${metric}` : ''} ${hops ?? ''}`
}

function ruleLine({ priority, from, to, mark, inverted, iif, table, suppress }: NodeRule): string {
	return [
		`rule add${inverted ? ' not' : ''}`,
		from === undefined ? '' : `from ${from}`,
		to === undefined ? '' : `to ${to}`,
		mark ? `fwmark ${mark[0]}/${mark[1]}` : '',
		iif === undefined ? '' : `iif ${iif}`,
		`priority ${priority} lookup ${table}`,
		suppress === undefined ? '' : `suppress_prefixlength ${suppress}`,
	]
		.filter(Boolean)
		.join(' ')
}

/** Pod networks that the run receives: on links that MultiNIC manages, on other links, and not on any link. */
export const anyPodNetworks: fc.Arbitrary<string[]> = fc.subarray([
	'10.200.0.0/16',
	'10.0.0.0/23',
	'10.50.0.0/16',
	'10.77.0.0/17',
	'fd00::/17',
])
