import type { Link } from '../model/host-state.ts'
import { linksOf, type NextHopObject } from '../model/route.ts'
import { ADDRESS_KEYS } from './parse-address.ts'
import type { ParsedNeighbour } from './parse-neighbour.ts'
import type { ParsedRoute } from './parse-route.ts'
import { tableWord } from './table-names.ts'

/**
 * Collects keys in the output of `ip -j` that this agent does not know. Such a key may belong to state that a run would remove and could
 * not restore, so a run does not touch a link with unknown keys.
 */

/**
 * Known keys of a link, as of iproute2 6.17. A run changes only the name, state and MTU of a link, so the values of the other keys do not
 * matter.
 */
const LINK_KEYS: ReadonlySet<string> = new Set([
	...['ifindex', 'ifname', 'altnames', 'ifalias', 'flags', 'mtu', 'min_mtu', 'max_mtu', 'master', 'group', 'txqlen', 'qdisc', 'xdp'],
	...['link', 'link_index', 'link_netns', 'link_netnsid', 'new_netns', 'new_netnsid', 'netns-immutable', 'link_type', 'link_pointtopoint'],
	...['address', 'permaddr', 'broadcast', 'operstate', 'operstate_index', 'linkmode', 'linkmode_index', 'event', 'deleted'],
	...['promiscuity', 'allmulti', 'linkinfo', 'inet6_addr_gen_mode', 'num_tx_queues', 'num_rx_queues', 'num_vf', 'vfinfo_list'],
	...['gso_max_size', 'gso_max_segs', 'tso_max_size', 'tso_max_segs', 'gro_max_size', 'gso_ipv4_max_size', 'gro_ipv4_max_size'],
	...['max_pacing_offload_horizon', 'headroom', 'tailroom', 'phys_port_name', 'phys_port_id', 'phys_switch_id', 'parentbus', 'parentdev'],
	...['proto_down', 'proto_down_reasons', 'carrier', 'carrier_changes', 'carrier_up_count', 'carrier_down_count', 'stats', 'stats64'],
	...['dpll-pin', 'port', 'addr_info'],
])

type Unknown = NonNullable<Link['unknown']>[number]
type RawLink = Readonly<Record<string, unknown>> & { ifname: string; addr_info: readonly Readonly<Record<string, unknown>>[] }

/** @returns the unknown keys of the link itself and of its addresses */
export function unknownKeys(link: RawLink): Unknown[] {
	const command = `ip -j -d addr show dev ${link.ifname}`
	const own = Object.keys(link).filter(key => !LINK_KEYS.has(key))
	const ofAddresses = link.addr_info.flatMap(address => Object.keys(address).filter(key => !ADDRESS_KEYS.has(key)))
	return [...new Set([...own, ...ofAddresses])].map(key => ({ key, see: command }))
}

type Parsed = {
	routes: readonly ParsedRoute[]
	objects: readonly { object: NextHopObject; unknown: readonly string[] }[]
	neighbours: readonly ParsedNeighbour[]
}

/** @returns ifindex → the unknown keys of everything that uses the link */
export function unknownByLink({ routes, objects, neighbours }: Parsed): Map<number, Unknown[]> {
	const found = new Map<number, Unknown[]>()
	for (const { links, unknown, command } of [
		...routes.flatMap(ofRoute),
		...objects.flatMap(ofObject),
		...neighbours.flatMap(ofNeighbour),
	]) {
		const odd = [...new Set(unknown)].map(key => ({ key, see: command }))
		for (const link of odd.length > 0 ? links : []) found.set(link, [...(found.get(link) ?? []), ...odd])
	}
	return found
}

type Odd = { links: readonly number[]; unknown: readonly string[]; command: string }

function ofRoute({ route, unknown }: ParsedRoute): Odd[] {
	return unknown.length === 0
		? []
		: [{ links: linksOf(route), unknown, command: `ip -j -d route show table ${tableWord(route.table)} ${route.to}` }]
}

function ofObject({ object, unknown }: Parsed['objects'][number]): Odd[] {
	return object.link === undefined ? [] : [{ links: [object.link], unknown, command: `ip -j -d nexthop show id ${object.id}` }]
}

function ofNeighbour({ neighbour, unknown }: ParsedNeighbour): Odd[] {
	const command = neighbour.proxy ? 'ip -j -d neigh show proxy' : `ip -j -d neigh show to ${neighbour.ip}`
	return [{ links: [neighbour.link], unknown, command }]
}
