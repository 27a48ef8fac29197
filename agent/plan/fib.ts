import { contains, lengthOf, networkOf } from '../../contract/ip.ts'
import type { Family, HostState, Rule } from '../model/host-state.ts'
import { linksOf, type Route } from '../model/route.ts'

/** Models the kernel's route lookup on an observed host: rules in order of priority, and the longest matching prefix in each table. */

export type Packet = {
	family: Family
	to: string
	/** Absent: the kernel chooses the source address. */
	from?: string
	/** ifindex of the input link; absent: this host sends the packet. */
	iif?: number
	/** ifindex of the link that the sending socket is bound to. */
	oif?: number
	mark?: number
	tos?: number
	uid?: number
	/** IP protocol number. */
	protocol?: number
	sport?: number
	dport?: number
}

/** The route of a packet and the rule that selected it; `refused`: no route matches, or a rule or route rejects the packet. */
export type Way = { route: Route; rule: Rule } | { refused: true; rule?: Rule }

/** The rules and routes of a host, arranged for lookups. */
export type Fib = {
	rules: readonly Rule[]
	/** Returns the rules that may apply to a packet from an address. On a host with many rules, most select one source each. */
	rulesFrom(from: string | undefined): readonly Rule[]
	/** ifindex → name, for rules that name a link. */
	names: ReadonlyMap<number, string>
	/** ifindex → group, for rules that suppress one. */
	groups: ReadonlyMap<number, number>
	/** ifindexes of the links whose routes the kernel uses: links that are up and, if the kernel requires it, have a carrier. */
	usable: Readonly<Record<Family, ReadonlySet<number>>>
	/** `family table` → prefix length → network → routes, the longest prefix first. */
	tables: ReadonlyMap<string, Table>
}
type Table = ReadonlyMap<number, ReadonlyMap<string, readonly Route[]>>

/** @returns the rules and routes of an observation; costs one pass over all routes */
export function fibOf({ links, routes, rules }: Pick<HostState, 'links' | 'routes' | 'rules'>): Fib {
	const sorted = rules.toSorted((a, b) => a.priority - b.priority)
	return {
		rules: sorted,
		rulesFrom: bySource(sorted),
		names: new Map(links.map(({ ifindex, name }) => [ifindex, name])),
		groups: new Map(links.map(({ ifindex, group = 0 }) => [ifindex, group])),
		usable: { 4: usableLinks(links, 4), 6: usableLinks(links, 6) },
		tables: arranged(routes),
	}
}

/** Maximum number of sources whose rules are cached. */
const MOST_SOURCES = 128

function bySource(rules: readonly Rule[]): Fib['rulesFrom'] {
	const ofAny = rules.filter(rule => !isOfOneSource(rule))
	const known = new Map<string, readonly Rule[]>()
	return from => {
		if (from === undefined) return ofAny
		const found = known.get(from) ?? rules.filter(rule => !isOfOneSource(rule) || contains(rule.from, from))
		if (known.size === MOST_SOURCES && !known.has(from)) known.clear()
		known.set(from, found)
		return found
	}
}

function isOfOneSource({ family, from, inverted }: Rule): boolean {
	return !inverted && from.endsWith(family === 4 ? '/32' : '/128')
}

function usableLinks(links: HostState['links'], family: Family): Set<number> {
	return new Set(links.flatMap(({ ifindex, up, ignored }) => (up && !ignored?.includes(family) ? [ifindex] : [])))
}

/**
 * Looks up the route of a packet as the kernel does.
 *
 * @see ip-rule(8), ip-route(8)
 */
export function lookup(fib: Fib, packet: Packet): Way {
	let from = 0
	for (const rule of fib.rulesFrom(packet.from)) {
		if (rule.priority < from || rule.family !== packet.family || !selects(rule, packet, fib)) continue
		const step = act(rule, packet, fib)
		if ('way' in step) return step.way
		from = step.from ?? from
	}
	return { refused: true }
}

/** Applies a rule. Returns the resulting route, or the priority to continue from; without one, the next rule is evaluated. */
function act(rule: Rule, packet: Packet, fib: Fib): { way: Way } | { from?: number } {
	if (rule.action === 'goto') return hasTarget(rule, fib) ? { from: rule.goto ?? 0 } : {}
	if (rule.action === 'nop' || rule.action === 'l3mdev') return {}
	if (rule.action !== undefined) return { way: { refused: true, rule } }
	const route = routeIn(fib, rule.table, packet)
	if (!route || route.type === THROW) return {}
	// The kernel does not apply suppressors to routes that reject packets. @see fib_rules_lookup
	if (REFUSING.has(route.type)) return { way: { refused: true, rule } }
	return isSuppressed(rule, route, fib) ? {} : { way: { route, rule } }
}

/** A goto rule is skipped if its family has no rule with the target priority. */
function hasTarget({ goto: target, family }: Rule, { rules }: Fib): boolean {
	return rules.some(other => other.family === family && other.priority === target)
}

/** @returns whether a rule applies to a packet; a rule with an unknown selector applies to no packet */
export function selects(rule: Rule, packet: Packet, fib: Pick<Fib, 'names'>): boolean {
	if (rule.unknown) return false
	const isMatch = selectors.every(matches => matches(rule, packet, fib))
	return isMatch !== (rule.inverted === true)
}

/** RTN numbers. @see rtnetlink(7) */
const THROW = 9
const REFUSING: ReadonlySet<number> = new Set([6, 7, 8])
const UNICAST = 1

/** The user id that the kernel uses for incoming packets. */
const NO_USER = 4_294_967_295

type Selector = (rule: Rule, packet: Packet, fib: Pick<Fib, 'names'>) => boolean

const selectors: readonly Selector[] = [
	({ from }, packet) => from.endsWith('/0') || (packet.from !== undefined && contains(from, packet.from)),
	({ to }, packet) => to === undefined || contains(to, packet.to),
	({ iif }, packet, { names }) => iif === undefined || iif === (packet.iif === undefined ? 'lo' : names.get(packet.iif)),
	({ oif }, packet, { names }) => oif === undefined || (packet.oif !== undefined && oif === names.get(packet.oif)),
	({ mark }, packet) => mark === undefined || ((mark.value ^ (packet.mark ?? 0)) & mark.mask) === 0,
	({ tos }, packet) => tos === undefined || tos === packet.tos,
	({ uids }, packet) => isWithin(uids, packet.uid ?? (packet.iif === undefined ? 0 : NO_USER)),
	({ protocol }, packet) => protocol === undefined || protocol === packet.protocol,
	({ sport }, packet) => isWithin(sport, packet.sport),
	({ dport }, packet) => isWithin(dport, packet.dport),
]

function isWithin(range: readonly [number, number] | undefined, value: number | undefined): boolean {
	return range === undefined || (value !== undefined && value >= range[0] && value <= range[1])
}

function isSuppressed({ suppressPrefixLength, suppressGroup }: Rule, route: Route, { groups }: Fib): boolean {
	if (suppressPrefixLength !== undefined && lengthOf(route.to) <= suppressPrefixLength) return true
	// For an IPv4 route with several next hops the kernel checks only the first. @see fib4_rule_suppress
	const asked = route.family === 4 ? linksOf(route).slice(0, 1) : linksOf(route)
	return suppressGroup !== undefined && asked.some(link => groups.get(link) === suppressGroup)
}

function routeIn({ tables, usable }: Fib, table: number, packet: Packet): Route | undefined {
	for (const [length, networks] of tables.get(`${packet.family} ${table}`) ?? []) {
		const found = networks.get(networkOf(`${packet.to}/${length}`))?.find(route => isUsable(route, packet, usable[packet.family]))
		if (found) return found
	}
}

function isUsable(route: Route, { from, oif, tos }: Packet, usable: ReadonlySet<number>): boolean {
	const links = linksOf(route)
	const isReachable = route.type !== UNICAST || links.some(link => usable.has(link) && (oif === undefined || link === oif))
	const isOfSource = route.from === undefined || (from !== undefined && contains(route.from, from))
	return isReachable && isOfSource && (route.tos === undefined || route.tos === tos)
}

/** Groups routes by table, prefix length and network. Within a network the preferred route comes first; equal routes keep their order. */
function arranged(routes: readonly Route[]): Map<string, Table> {
	const tables = new Map<string, Map<number, Map<string, Route[]>>>()
	for (const route of routes) {
		const networks = entryOf(entryOf(tables, `${route.family} ${route.table}`, newTable), lengthOf(route.to), newNetworks)
		entryOf(networks, route.to, newRoutes).push(route)
	}
	for (const [name, table] of tables) {
		for (const networks of table.values()) for (const same of networks.values()) same.sort(byPreference)
		tables.set(name, new Map([...table].toSorted(([a], [b]) => b - a)))
	}
	return tables
}

/** A route for a specific TOS or source precedes a general one; otherwise the smaller metric comes first. */
function byPreference(a: Route, b: Route): number {
	return (b.tos ?? 0) - (a.tos ?? 0) || sourceLength(b) - sourceLength(a) || a.metric - b.metric
}

/** The prefix length of the sources that a route is for. */
const sourceLength = ({ from }: Route) => (from === undefined ? 0 : lengthOf(from))

const newTable = () => new Map<number, Map<string, Route[]>>()
const newNetworks = () => new Map<string, Route[]>()
const newRoutes = (): Route[] => []

function entryOf<K, V>(map: Map<K, V>, key: K, make: () => V): V {
	const found = map.get(key)
	if (found !== undefined) return found
	const made = make()
	map.set(key, made)
	return made
}
