import { contains, ipOf, lengthOf } from '../../contract/ip.ts'
import type { Change } from '../model/change.ts'
import type { HostState, Link } from '../model/host-state.ts'
import { familyOf, hasNetwork, networksOf } from '../model/networks.ts'
import { KERNEL, UNICAST } from '../model/origin.ts'
import { MAIN, type Route } from '../model/route.ts'
import type { Selection } from '../model/selection.ts'
import { touchedBy } from './fingerprint.ts'
import { isSending } from './lone-address.ts'

/** Duplicate address detection for IPv4, before a link gets addresses. Not for IPv6: the kernel does it, and uses an address only then. */

/**
 * @param name the name of the link when it is probed
 * @param wanted addresses with prefix length
 * @returns the probe on the wire of the link itself
 */
export function questionOf(link: Link, name: string, wanted: readonly string[]): Change[] {
	const ips = newOf(link, wanted)
	return ips.length === 0 ? [] : [{ kind: 'ask', link: link.ifindex, name, ips, mac: link.mac }]
}

/**
 * @returns the probes on the wires of other links whose networks contain such an address: packets of the node to a host that has it there
 * would stay on the node
 */
export function questionsBeside(link: Link, wanted: readonly string[], selection: Selection, host: HostState): Change[] {
	const ips = newOf(link, wanted)
	return [...othersWires(selection, host), ...ownWires(selection)]
		.filter(({ ifindex }) => ifindex !== link.ifindex)
		.flatMap(({ ifindex, name, networks }) => {
			const met = ips.filter(ip => networks.some(network => contains(network, ip)))
			return met.length === 0 ? [] : [{ kind: 'ask' as const, link: ifindex, name, ips: met, mac: link.mac }]
		})
}

/** `name`: the name of the link when it is probed. */
type Wire = { ifindex: number; name: string; networks: readonly string[] }

function othersWires(selection: Selection, { links, routes }: HostState): Wire[] {
	const touched = touchedBy(selection)
	return links
		.filter(link => !touched.has(link.ifindex) && isAsking(link) && isSending(link, touched))
		.map(({ ifindex, name, addresses }) => {
			const own = addresses.flatMap(({ cidr, peer }) => (peer === undefined && hasNetwork(cidr) ? [cidr] : []))
			const routed = routes.flatMap(route => (route.link === ifindex && isOnLink(route) ? [route.to] : []))
			return { ifindex, name, networks: [...own, ...routed] }
		})
}

/** Links on which MultiNIC has already configured an interface. */
function ownWires({ accepted }: Selection): Wire[] {
	return accepted
		.filter(({ link, ours }) => ours && isAsking(link))
		.map(({ nic, link: { ifindex } }) => ({ ifindex, name: nic.name, networks: networksOf(nic) }))
}

/**
 * Whether a route shows that a network is on the wire of its link. Kernel routes only repeat the addresses. A default route or half of one
 * does not show which hosts are on the wire.
 */
function isOnLink({ table, type, protocol, via, to }: Route): boolean {
	return table === MAIN && type === UNICAST && protocol !== KERNEL && via === undefined && hasNetwork(to) && lengthOf(to) > 1
}

function isAsking({ ethernet, up, carrier }: Link): boolean {
	return ethernet && up && carrier
}

function newOf({ addresses }: Link, wanted: readonly string[]): string[] {
	const held = new Set(addresses.map(({ cidr }) => ipOf(cidr)))
	return wanted.map(ipOf).filter(ip => familyOf(ip) === 4 && !held.has(ip))
}
