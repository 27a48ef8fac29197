import { contains } from '../../contract/ip.ts'
import type { HostState, Rule } from '../model/host-state.ts'
import { isLinkLocal } from '../model/networks.ts'
import { linksOf } from '../model/route.ts'
import { type Fib, lookup, type Packet } from './fib.ts'
import { addressIn, ownAddresses } from './sample-address.ts'

/** The source of a packet: its address and its input link. */
type PacketSource = { from?: string; iif?: number }
/** `taken`: every address that this host has or will have. */
type RuleInput = { host: Pick<HostState, 'links'>; fib: Fib; taken: ReadonlySet<string> }

/**
 * Returns packets that a rule applies to, and for an inverted rule also packets that it does not apply to, so that a lookup of each shows
 * what happens to the traffic that the rule is intended for. A rule with selectors that `ip route get` cannot express yields no packets;
 * the rule itself is compared instead.
 *
 * @param targets possible destinations of such a packet
 * @see ip-route(8), get
 */
export function packetsFor(rule: Rule, targets: readonly string[], known: RuleInput): Packet[] {
	if (rule.unknown || rule.action === 'l3mdev') return []
	const iif = ifindexOf(rule.iif, known)
	const oif = ifindexOf(rule.oif, known)
	if (iif === null || oif === null) return []
	const more = { ...(oif !== undefined && { oif }), ...selected(rule) }
	const packets = sourceOf(rule, iif, known).flatMap(source =>
		destinations(rule, targets).map(to => ({ family: rule.family, to, ...source, ...more })),
	)
	return rule.inverted ? [...packets, ...packets.map(packet => otherwise(packet, rule))] : packets
}

/** @returns undefined: the rule names no link; null: it names a link that does not exist */
function ifindexOf(name: string | undefined, { host }: RuleInput): number | undefined | null {
	if (name === undefined || name === 'lo') return undefined
	return host.links.find(link => link.name === name)?.ifindex ?? null
}

function selected({ mark, tos, uids, protocol, sport, dport }: Rule): Partial<Packet> {
	return {
		...(mark && { mark: mark.value }),
		...(tos !== undefined && { tos }),
		...(uids && { uid: uids[0] }),
		...(protocol !== undefined && { protocol }),
		...(sport && { sport: sport[0] }),
		...(dport && { dport: dport[0] }),
	}
}

/**
 * If this host does not have the source address, the packet must be an incoming one, through the link over which that address is reached.
 */
function sourceOf({ from, family }: Rule, iif: number | undefined, known: RuleInput): PacketSource[] {
	const { host, fib, taken } = known
	if (from.endsWith('/0')) return iif === undefined ? [{}] : sourcesBehind(iif, family, known)
	const local = iif === undefined ? [...ownAddresses(host)].find(ip => contains(from, ip)) : undefined
	if (local !== undefined) return [{ from: local }]
	const sample = addressIn(from, taken)
	if (sample === undefined) return []
	const way = lookup(fib, { family, to: sample })
	const link = iif ?? ('route' in way ? linksOf(way.route)[0] : undefined)
	return link === undefined ? [] : [{ from: sample, iif: link }]
}

function sourcesBehind(iif: number, family: number, { host, taken }: RuleInput): PacketSource[] {
	const link = host.links.find(({ ifindex }) => ifindex === iif)
	const network = link?.addresses.find(address => address.family === family && !isLinkLocal(address.cidr))?.cidr
	const from = network === undefined ? (family === 4 ? '192.0.2.1' : '2001:db8::1') : addressIn(network, taken)
	return from === undefined ? [] : [{ from, iif }]
}

function destinations({ to }: Rule, targets: readonly string[]): string[] {
	if (to === undefined || to.endsWith('/0')) return [...targets]
	const sample = addressIn(to, new Set())
	return [...(sample === undefined ? [] : [sample]), ...targets.filter(target => contains(to, target))]
}

/** Returns the same packet with values that the selectors of the rule do not match. */
function otherwise(packet: Packet, { mark, uids }: Rule): Packet {
	const { mark: _, uid: _uid, protocol: _protocol, sport: _sport, dport: _dport, tos: _tos, ...plain } = packet
	return {
		...plain,
		...(mark && { mark: (mark.value ^ (mark.mask & -mark.mask)) >>> 0 }),
		...(uids && { uid: uids[1] + 1 }),
	}
}
