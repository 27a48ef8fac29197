import { networkOf } from '../../contract/ip.ts'
import { interfaceName } from '../../contract/names.ts'
import { ruleWords, showRoutes, showRule, showRules } from '../ip/show-commands.ts'
import { tableWord } from '../ip/table-names.ts'
import { type Cause, type Refusal, refusalOf } from '../model/check.ts'
import type { HostState } from '../model/host-state.ts'
import { linksOf } from '../model/route.ts'
import { fibOf, selects, type Way } from './fib.ts'
import { LOCAL, LOCAL_TABLE, type OwnPacket } from './own-packets.ts'
import { sampleWords } from './sample-address.ts'

/** Explains why packets from a desired address do not leave through its own link, or why packets to this node itself leave the node. */

type RuledNode = Pick<HostState, 'links' | 'rules'>

/** @returns whether a packet takes the route that its interface requires */
export function isOwnWay(way: Way, { link, local }: OwnPacket): boolean {
	if (!('route' in way)) return false
	const isLocal = way.route.type === LOCAL
	return local ? isLocal : !isLocal && linksOf(way.route).every(one => one === link)
}

/** @returns the refusal of an interface whose packets would take another route than required, with the cause */
export function routedElsewhere(packet: OwnPacket, way: Way, host: RuledNode): Refusal {
	return refusalOf('RoutedElsewhere', packet.local ? leavingNode(packet, way, host) : ruledElsewhere(packet, way, host))
}

/** Only the rule of the local table keeps packets to the node itself on the node. */
function leavingNode(packet: OwnPacket, way: Way, host: RuledNode): Cause {
	const fib = fibOf({ ...host, routes: [] })
	const rule = fib.rules.find(one => one.table === LOCAL_TABLE && one.family === packet.family && selects(one, packet, fib))
	const what = `packets from ${packet.from} to ${packet.to}, an address of this node, ${whereWords(packet, way, host)}`
	const first = way.rule === undefined ? '' : `rule ${way.rule.priority} takes precedence over `
	if (rule) return { says: `${what} because ${first}rule ${rule.priority} (${ruleWords(rule)})`, see: showRule(rule) }
	return { says: `${what} because no rule looks up table ${tableWord(LOCAL_TABLE)}`, see: showRules(packet.family) }
}

function ruledElsewhere(packet: OwnPacket, way: Way, host: RuledNode): Cause {
	const found = stayingHere(way, host) ?? withoutCarrier(packet, way, host) ?? byRule(packet, way, host)
	const { from, to, sampleOf } = packet
	return { ...found, says: `packets from ${from} to ${sampleOf === undefined ? to : sampleWords(sampleOf, to)} ${found.says}` }
}

/** An address on `lo` makes its whole network local to this node, and so does a local route. */
function stayingHere(way: Way, { links }: RuledNode): Cause | undefined {
	if (!('route' in way) || way.route.type !== LOCAL) return
	const { route } = way
	const link = links.find(({ ifindex }) => linksOf(route).includes(ifindex))
	const address = link?.addresses.find(({ cidr }) => networkOf(cidr) === route.to)
	if (link && address) return { says: `stay on this node because ${link.name} has ${address.cidr}`, see: `ip addr show dev ${link.name}` }
	const dev = link ? ` dev ${link.name}` : ''
	const see = showRoutes(route.family, `table ${tableWord(route.table)} ${route.to}`)
	return { says: `stay on this node because table ${tableWord(route.table)} has the route 'local ${route.to}${dev}'`, see }
}

function withoutCarrier(packet: OwnPacket, way: Way, host: RuledNode): Cause | undefined {
	const own = host.links.find(({ ifindex }) => ifindex === packet.link)
	if (!own?.ignored?.includes(packet.family)) return
	const says = `${whereWords(packet, way, host)} because ${own.name} has no carrier and ignore_routes_with_linkdown is 1`
	return { says, see: `ip link show dev ${own.name}` }
}

function byRule(packet: OwnPacket, way: Way, host: RuledNode): Cause {
	const { rule } = way
	const because = rule ? ` because rule ${rule.priority} (${ruleWords(rule)}) takes precedence` : ''
	const see = rule ? showRule(rule) : `ip route get ${packet.to} from ${packet.from}`
	return { says: `${whereWords(packet, way, host)}${because}`, see }
}

function whereWords({ id, link }: OwnPacket, way: Way, { links }: RuledNode): string {
	const used = 'route' in way ? linksOf(way.route) : []
	const names = links.flatMap(({ ifindex, name }) => (used.includes(ifindex) ? [ifindex === link ? interfaceName(id) : name] : []))
	return names.length > 0 ? `leave through ${names.join(' and ')}` : 'have no route'
}
