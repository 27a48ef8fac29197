import type { Bases } from '../../contract/bases.ts'
import { canonicalIp, contains, ipOf, lengthOf, overlap, parseIp } from '../../contract/ip.ts'
import { isOurRule } from '../model/bases.ts'
import type { Family, HostState, Link, Rule } from '../model/host-state.ts'
import { familyOf, full, isLinkLocal } from '../model/networks.ts'
import { gatewaysOf, linksOf, MAIN } from '../model/route.ts'
import { type Fib, fibOf, lookup, type Packet, type Way } from './fib.ts'
import { isSending, loneIp } from './lone-address.ts'
import { METADATA_SERVICE } from './metadata-address.ts'
import { distant, neighbours } from './neighbours.ts'
import { packetsFor } from './rule-packets.ts'
import { addressIn, isLoopback, outside, ownAddresses } from './sample-address.ts'
import { firstDistinct, inTurns } from './take-turns.ts'

/** Packets of the node that must take the same route before and after a run. */

/**
 * `whole`: the matched route has several next hops, so the whole route is compared, not just the next hop that a lookup happens to return.
 */
export type Lookup = Packet & { whole?: true }

export type Subject = {
	/** ifindexes of the links that the run may change. */
	touched: ReadonlySet<number>
	/** Networks to which the run adds routes. */
	networks: readonly string[]
	/** Addresses that the run adds: packets to them stay on this host afterwards. */
	given: readonly string[]
	/** Addresses that the node depends on: the API server, nameservers. */
	paths: readonly string[]
	/** Pod networks for which the run may add rules. */
	pods: readonly string[]
	/** Bases that identify the rules managed by MultiNIC. */
	bases: readonly Bases[]
}

/** The table of the node's local addresses. */
const LOCAL = 255
/** Maximum number of lookups; one process makes all of them. */
export const MOST_LOOKUPS = 2_000
/** Above this number of rules, one rule represents all that differ only in an address. */
const MOST_RULES = 100
/** Maximum number of addresses per link, and of overlapping networks. */
const MOST_ALIKE = 16

/** @returns the lookups to make in the kernel, and notes on packets that are omitted or that others represent */
export function lookupsOf(host: HostState, subject: Subject): { lookups: Lookup[]; notes: string[] } {
	const fib = fibOf(host)
	const { packets, notes } = packetsOf(host, subject, fib)
	return { lookups: packets.map(packet => asLookup(packet, fib)), notes }
}

/**
 * @returns the packets of the node that must not lose their route, and notes on omitted packets. Packets to addresses that the node depends
 *   on and to destinations outside its networks come first; then packets for rules, sources, neighbours and forwarding are interleaved, so
 *   that no group crowds out the others.
 */
export function packetsOf(host: HostState, subject: Subject, fib: Fib): { packets: Packet[]; notes: string[] } {
	const known = { ...subject, fib, taken: new Set([...ownAddresses(host), ...subject.given]) }
	const targets = { 4: farTargets(4, host, known), 6: farTargets(6, host, known) }
	const used = ([4, 6] as const).filter(family => isUsed(family, host))
	const foreign = host.rules.filter(rule => !isOurRule(rule, subject.bases))
	const rules = foreign.length > MOST_RULES ? withoutAlike(foreign) : foreign
	const ofRules = rules.map(rule => packetsFor(rule, targets[rule.family], { host, ...known }))
	const first = used.map(family => to(targets[family], family))
	const rest = inTurns<Packet>([
		inTurns(ofRules),
		...used.flatMap(family => packetsOfFamily(family, host, { ...known, far: targets[family] })),
	])
	const { first: packets, isAll } = firstDistinct(notTo(subject.given, inOrder<Packet>([...first, rest])), MOST_LOOKUPS)
	const notes = [
		...(rules.length < foreign.length ? ['rules that differ only in an address are represented by one of them'] : []),
		...(isAll ? [] : [`the node has more routes than the ${MOST_LOOKUPS} that are looked up`]),
	]
	return { packets, notes }
}

function asLookup(packet: Packet, fib: Fib): Lookup {
	const way = lookup(fib, packet)
	return 'route' in way && (way.route.nextHops?.length ?? 0) > 1 ? { ...packet, whole: true } : packet
}

/** `taken`: every address that this host has or will have. */
type PacketInput = Subject & { fib: Fib; taken: ReadonlySet<string> }

/** Whether the node has any route of this family; without one it has nothing to lose. */
function isUsed(family: Family, { routes }: HostState): boolean {
	return routes.some(route => route.family === family && route.table !== LOCAL && isForMany(route.to, 0))
}

/**
 * Returns packets of the node to neighbours and from each of its addresses, and forwarded packets. Generators, because there are many
 * combinations.
 */
function packetsOfFamily(family: Family, host: HostState, { far, ...known }: PacketInput & { far: readonly string[] }): Iterable<Packet>[] {
	const near = neighbours(family, host, known)
	const ips = [...near, ...distant(family, host, known)].map(({ ip }) => ip)
	const sources = sourcesOf(family, host, known)
	return [
		to(ips, family),
		inOrder(sources.map(from => to(far, family, { from }))),
		inOrder(near.map(({ ip, link }) => to(far, family, { from: ip, iif: link }))),
		inOrder(sources.map(from => to(ips, family, { from }))),
		besideLoneAddresses(family, host, known),
	]
}

/** Returns packets from an address without a network to another address in the same network of the run. */
function besideLoneAddresses(family: Family, host: HostState, { touched, networks, taken }: PacketInput): Packet[] {
	const found = host.links
		.filter(link => !touched.has(link.ifindex) && isSending(link, touched))
		.flatMap(link => link.addresses.filter(address => address.family === family).slice(0, MOST_ALIKE))
		.flatMap(address => loneIp(address) ?? [])
		.flatMap(from => networks.filter(network => isForMany(network) && contains(network, from)).map(network => ({ from, network })))
	if (found.length === 0) return []
	const alone = host.routes.filter(route => lengthOf(route.to) === full(route.to)).map(route => ipOf(route.to))
	const except = new Set([...taken, ...alone])
	return found.flatMap(({ from, network }) => [...to([addressIn(network, except) ?? from], family, { from })])
}

function* to(ips: readonly string[], family: Family, more: { from?: string; iif?: number } = {}): Generator<Packet> {
	for (const ip of ips) if (ip !== more.from) yield { family, to: ip, ...more }
}

/** Omits packets from or to addresses that the run adds, because rules not managed by MultiNIC may name them. */
function* notTo(given: readonly string[], packets: Iterable<Packet>): Generator<Packet> {
	for (const packet of packets) if (![packet.to, packet.from].some(ip => ip !== undefined && given.includes(ip))) yield packet
}

function* inOrder<T>(lists: Iterable<Iterable<T>>): Generator<T> {
	for (const list of lists) yield* list
}

/** Addresses of the node on links that the run does not change. */
function sourcesOf(family: Family, host: HostState, { touched }: Subject): string[] {
	return host.links.filter(({ ifindex }) => !touched.has(ifindex)).flatMap(link => usableAddresses(link, family).slice(0, MOST_ALIKE))
}

function usableAddresses({ addresses }: Link, family: Family): string[] {
	const ips = addresses.filter(address => address.family === family && !address.duplicate).map(({ cidr }) => ipOf(cidr))
	return ips.filter(ip => !isLoopback(ip) && !isLinkLocal(ip))
}

/**
 * Returns the addresses that the node depends on, the metadata service, its default gateways over links that the run does not change,
 * addresses outside, and samples of overlaps between networks of the run and others. A destination that is reached over a link of the run
 * shows whether that route is lost.
 */
function farTargets(family: Family, host: HostState, { paths, networks, touched, taken, fib }: PacketInput): string[] {
	const gateways = host.routes
		.filter(({ table, to }) => table === MAIN && to.endsWith('/0'))
		.flatMap(gatewaysOf)
		.filter(({ link }) => !touched.has(link))
	const known = [...paths, ...METADATA_SERVICE, ...gateways.map(({ ip }) => ip)]
	const living = known.filter(ip => parseIp(ip) && familyOf(ip) === family && !isLinkLocal(ip))
	const met = host.routes.flatMap(route => {
		if (route.family !== family || !isForMany(route.to) || linksOf(route).some(link => touched.has(link))) return []
		return networks
			.filter(network => isForMany(network))
			.filter(network => overlap(network, route.to))
			.map(network => (lengthOf(network) > lengthOf(route.to) ? network : route.to))
	})
	const shared = [...new Set(met)]
		.slice(0, MOST_ALIKE)
		.flatMap(network => addressIn(network, taken) ?? [])
		.filter(to => isSpecial(lookup(fib, { family, to })))
	return [...new Set([...living.map(canonicalIp), ...outside(family, host), ...shared])].filter(ip => !taken.has(ip))
}

/** Whether a network has unicast addresses and, by default, is neither the whole address space nor half of it. */
function isForMany(cidr: string, shortest = 2): boolean {
	return lengthOf(cidr) >= shortest && !isLinkLocal(cidr) && !/^(ff|22[4-9]\.|23\d\.)/.test(cidr)
}

/**
 * Whether a more specific route than a default route matches, or a rule or route rejects the packet. If only a default route matches, a
 * route of the run does not replace another one.
 */
function isSpecial(way: Way): boolean {
	return 'route' in way ? lengthOf(way.route.to) > 1 : way.rule !== undefined
}

function withoutAlike(rules: readonly Rule[]): Rule[] {
	const kind = ({ words, family, priority }: Rule) => `${family} ${priority} ${words.replace(/\b(from|to) [\da-f.:]+/g, '$1')}`
	const first = new Map(rules.toReversed().map(rule => [kind(rule), rule]))
	return rules.filter(rule => first.get(kind(rule)) === rule)
}
