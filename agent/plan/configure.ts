import { contains, networkOf } from '../../contract/ip.ts'
import { routeTable } from '../../contract/names.ts'
import { questionOf } from './ask.ts'
import type { Address, HostState, Link, Route, Rule } from '../host/state.ts'
import { givenTo } from './memory.ts'
import type { RecordedLink } from './record.ts'
import { AUTOMATIC, addressesOf, familyOf, routeKey, routesOf, ruleKey, rulesOf, RULE_PRIORITY, sysctlsOf } from './routing.ts'
import type { Accepted, Released } from './select.ts'
import type { Change } from './steps.ts'

/** The changes of one link by the phase they belong to. Phases of all links run side by side, so that one batch does it all. */
export type Phases = { settings: Change[]; take: Change[]; shape: Change[]; ask: Change[]; give: Change[] }

const KERNEL = 2

/** What a link still lacks of its interface, and what it has too much. */
export function configure({ nic, link, ours }: Accepted, host: HostState): Phases {
	const addresses = addressesOf(nic)
	const routes = routesOf(nic, link.ifindex)
	const rules = rulesOf(nic)
	const taken = staleAddresses(link, addresses, ours)
	const along = goingAlong(link, taken)
	const stale = staleRoutes(link, { routes, ours, reaching: reachingAfter(link, taken, addresses) }, host)
	return {
		settings: settings(link, sysctlsOf(nic)),
		take: [...staleRules(nic.id, rules, host), ...stale, ...taken, ...inTheWay(link, nic.name)],
		shape: [
			...(nic.mtu !== undefined && nic.mtu !== link.mtu ? [{ kind: 'mtu' as const, link: link.ifindex, bytes: nic.mtu }] : []),
			...(link.up ? [] : [{ kind: 'up' as const, link: link.ifindex }]),
		],
		ask: questionOf(link, nic.name, addresses),
		give: [
			...missingAddresses(link, addresses, along),
			...routesThatGoAlong(link, { along, stale, routes }, host),
			...missingRoutes(routes, host),
			...missingRules(rules, host),
		],
	}
}

/** Gives a link back as it was before us: from the record, not from a guess. */
export function release({ ours, link }: Released, host: HostState): Phases {
	if (!link) return { settings: [], take: staleRules(ours.id, [], host), shape: [], ask: [], give: [] }
	const { original } = ours
	const taken = staleAddresses(link, [], ours)
	return {
		settings: settings(link, original.sysctls),
		take: [
			...staleRules(ours.id, [], host),
			...staleRoutes(link, { routes: [], ours, reaching: reachingAfter(link, taken, []) }, host),
			...taken,
			...inTheWay(link, original.name),
		],
		shape: [
			...(original.mtu !== link.mtu ? [{ kind: 'mtu' as const, link: link.ifindex, bytes: original.mtu }] : []),
			...(original.up === link.up ? [] : [{ kind: original.up ? ('up' as const) : ('down' as const), link: link.ifindex }]),
		],
		ask: [],
		give: original.altnames.filter(name => !link.altnames.includes(name)).map(name => ({ kind: 'addAltname', link: link.ifindex, name })),
	}
}

/** A link cannot have the same word as name and as another name; udev gives a renamed one its old name so. */
function inTheWay({ ifindex, altnames }: Link, name: string): Change[] {
	return altnames.includes(name) ? [{ kind: 'removeAltname', link: ifindex, name }] : []
}

/** What the kernel forgets of a link while it is down: IPv6 addresses, routes of every table, permanent neighbours. */
export function forgottenByDown({ ifindex, addresses }: Link, host: HostState): Change[] {
	return [
		...addresses
			.filter(({ family, global }) => family === 6 && global)
			.map(address => ({ kind: 'addAddress' as const, link: ifindex, address })),
		...host.neighbours.filter(({ link }) => link === ifindex).map(neighbour => ({ kind: 'addNeighbour' as const, neighbour })),
		...host.routes
			.filter(({ link, type, protocol }) => link === ifindex && type === 1 && protocol !== KERNEL)
			.map(route => ({ kind: 'addRoute' as const, route })),
	]
}

function settings({ name, sysctls }: Link, wanted: Readonly<Record<string, string>>): Change[] {
	return Object.entries(wanted)
		.filter(([key, value]) => sysctls[key] !== undefined && sysctls[key] !== value)
		.map(([key, value]) => ({ kind: 'sysctl', name, key, value }))
}

/** @returns removals of the rules of this id that are not wanted; ours are known by priority and table together */
export function staleRules(id: number, wanted: readonly Rule[], { rules }: HostState): Change[] {
	const keys = new Set(wanted.map(ruleKey))
	return rules
		.filter(rule => rule.priority === RULE_PRIORITY + id && rule.table === routeTable(id) && !keys.has(ruleKey(rule)))
		.map(rule => ({ kind: 'removeRule', rule }))
}

/** `reaching`: the addresses that the link has afterwards. */
type Kept = { routes: readonly Route[]; ours: RecordedLink | undefined; reaching: readonly string[] }

function staleRoutes(link: Link, { routes, ours, reaching }: Kept, host: HostState): Change[] {
	const keys = new Set(routes.map(routeKey))
	const given = new Set(ours?.routes.map(route => ourKey(route, link.ifindex)))
	const isOurs = (route: Route) =>
		given.has(routeKey(route)) || AUTOMATIC.has(route.protocol) || isInItsTable(route, ours) || losesItsWay(route, link, reaching)
	return host.routes
		.filter(
			route => route.link === link.ifindex && route.type === 1 && route.protocol !== KERNEL && !keys.has(routeKey(route)) && isOurs(route),
		)
		.map(route => ({ kind: 'removeRoute', route }))
}

/** A next hop that only an address makes reachable that is taken leads nowhere without it. */
function losesItsWay({ via, onlink }: Route, { addresses }: Link, reaching: readonly string[]): boolean {
	if (via === undefined || onlink || reaching.some(cidr => contains(cidr, via))) return false
	return addresses.some(({ cidr }) => contains(cidr, via))
}

function reachingAfter({ addresses }: Link, taken: readonly Change[], wanted: readonly string[]): string[] {
	const goes = new Set(taken.flatMap(change => (change.kind === 'removeAddress' ? [change.address] : [])))
	return [...wanted, ...addresses.flatMap(address => (goes.has(address) ? [] : [address.cidr]))]
}

function isInItsTable({ table }: Route, ours: RecordedLink | undefined): boolean {
	return ours !== undefined && table === routeTable(ours.id)
}

function ourKey({ to, via, table, metric }: RecordedLink['routes'][number], link: number): string {
	return routeKey({ family: familyOf(to), to, table, metric, link, type: 1, ...(via !== undefined && { via }) })
}

/**
 * Ours of an earlier config, and what DHCP or a router gave: the profile that asked for it no longer rules this link. And what another
 * host had when the kernel asked, for it does so only of an address that is given.
 */
function staleAddresses({ ifindex, addresses }: Link, wanted: readonly string[], ours: RecordedLink | undefined): Change[] {
	const given = givenTo(ours)
	const stale = ({ cidr, global, dynamic, duplicate }: Address) =>
		global && (wanted.includes(cidr) ? duplicate : dynamic || given.includes(cidr))
	return addresses.filter(stale).map(address => ({ kind: 'removeAddress', link: ifindex, address }))
}

/**
 * IPv4 addresses that may be gone once some are taken: by the kernel's default (`promote_secondaries` 0) the first of a network takes the
 * others of it along.
 */
function goingAlong({ addresses }: Link, taken: readonly Change[]): Set<string> {
	const goes = new Set(taken.flatMap(change => (change.kind === 'removeAddress' ? [change.address.cidr] : [])))
	const four = addresses.filter(({ family }) => family === 4).map(({ cidr }) => cidr)
	const first = (cidr: string) => four.find(other => networkOf(other) === networkOf(cidr))
	return new Set(four.filter(cidr => goes.has(cidr) || goes.has(first(cidr) ?? '')))
}

/** @param along what is given again, for it may be gone by then */
function missingAddresses({ ifindex, addresses }: Link, wanted: readonly string[], along: ReadonlySet<string>): Change[] {
	return wanted
		.filter(cidr => along.has(cidr) || !addresses.some(address => address.cidr === cidr && !address.dynamic && !address.duplicate))
		.map(cidr => ({ kind: 'addAddress', link: ifindex, address: { family: familyOf(cidr), cidr, global: true, dynamic: false } }))
}

/** With its last IPv4 address a link loses its IPv4 routes of all tables: those that are to stay are given again. */
function routesThatGoAlong(
	link: Link,
	{ along, stale, routes }: { along: ReadonlySet<string>; stale: readonly Change[]; routes: readonly Route[] },
	host: HostState,
): Change[] {
	const four = link.addresses.filter(({ family }) => family === 4)
	if (four.length === 0 || four.some(({ cidr }) => !along.has(cidr))) return []
	const leaves = new Set(stale.flatMap(change => (change.kind === 'removeRoute' ? [change.route] : [])))
	return host.routes
		.filter(
			route => route.link === link.ifindex && route.family === 4 && route.type === 1 && route.protocol !== KERNEL && !leaves.has(route),
		)
		.map(route => ({ kind: 'addRoute', route: asWanted(route, routes), again: true }))
}

/** @returns a route that is to stay as it is meant from now on: its next hop may be on no network of the link any more */
export function asWanted(found: Route, wanted: readonly Route[]): Route {
	return wanted.find(route => routeKey(route) === routeKey(found)) ?? found
}

function missingRoutes(wanted: readonly Route[], host: HostState): Change[] {
	const present = new Set(host.routes.map(routeKey))
	return wanted.filter(route => !present.has(routeKey(route))).map(route => ({ kind: 'addRoute', route }))
}

function missingRules(wanted: readonly Rule[], host: HostState): Change[] {
	const present = new Set(host.rules.filter(({ plain }) => plain).map(ruleKey))
	return wanted.filter(rule => !present.has(ruleKey(rule))).map(rule => ({ kind: 'addRule', rule }))
}
