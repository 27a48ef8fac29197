import { contains, ipOf, lengthOf } from '../../contract/ip.ts'
import { MAX_INTERFACES } from '../../contract/names.ts'
import type { DuplicateCheck } from '../model/change.ts'
import type { HostState, Link } from '../model/host-state.ts'
import { familyOf, hasNetwork, networksOf } from '../model/networks.ts'
import { KERNEL, UNICAST } from '../model/origin.ts'
import { MAIN, type Route } from '../model/route.ts'
import type { Selection } from '../model/selection.ts'
import { touchedBy } from './fingerprint.ts'
import { isSending } from './lone-address.ts'

/**
 * Duplicate address detection for IPv4, before addresses are added to a link. For IPv6 the kernel does this itself before it uses an
 * address.
 */

/**
 * @param name the name of the link when it is probed
 * @param wanted addresses with prefix length
 * @returns the probe to send on the link itself; empty if the link gets no new IPv4 address
 */
export function addressesToProbe(link: Link, name: string, wanted: readonly string[]): DuplicateCheck[] {
	const ips = newAddresses(link, wanted)
	return ips.length === 0 ? [] : [{ kind: 'checkDuplicates', link: link.ifindex, name, ips, mac: link.mac }]
}

/** Maximum number of other links on which an address is probed: the maximum number of other interfaces in a node config. */
export const MOST_WIRES = MAX_INTERFACES - 1

/**
 * @returns the probes on other links whose networks contain a new address: if a host there has it, the node could no longer reach that
 * host. If too many links match, those with the narrowest networks are probed, because the node sends through them.
 */
export function addressesToProbeElsewhere(link: Link, wanted: readonly string[], selection: Selection, host: HostState): DuplicateCheck[] {
	const ips = newAddresses(link, wanted)
	const wires = ips.length === 0 ? [] : [...othersWires(selection, host), ...ownWires(selection)].filter(isOther(link))
	const probedOn = new Map(ips.map(ip => [ip, wiresWith(ip, wires)]))
	return wires.flatMap(wire => {
		const met = ips.filter(ip => probedOn.get(ip)?.includes(wire))
		return met.length === 0 ? [] : [{ kind: 'checkDuplicates' as const, link: wire.ifindex, name: wire.name, ips: met, mac: link.mac }]
	})
}

function isOther({ ifindex }: Link) {
	return (wire: Wire) => wire.ifindex !== ifindex
}

function wiresWith(ip: string, wires: readonly Wire[]): Wire[] {
	return wires
		.map(wire => ({ wire, lengths: wire.networks.filter(network => contains(network, ip)).map(lengthOf) }))
		.filter(({ lengths }) => lengths.length > 0)
		.toSorted((a, b) => Math.max(...b.lengths) - Math.max(...a.lengths))
		.slice(0, MOST_WIRES)
		.map(({ wire }) => wire)
}

/** `name`: the name of the link when it is probed. */
type Wire = { ifindex: number; name: string; networks: readonly string[] }

function othersWires(selection: Selection, { links, routes }: HostState): Wire[] {
	const touched = touchedBy(selection)
	return links
		.filter(link => !touched.has(link.ifindex) && isProbing(link) && isSending(link, touched))
		.map(({ ifindex, name, addresses }) => {
			const own = addresses.filter(({ cidr, peer }) => peer === undefined && hasNetwork(cidr)).map(({ cidr }) => cidr)
			const routed = routes.filter(route => route.link === ifindex && isOnLink(route)).map(({ to }) => to)
			return { ifindex, name, networks: [...own, ...routed] }
		})
}

/** Links on which MultiNIC has already configured an interface. */
function ownWires({ accepted }: Selection): Wire[] {
	return accepted
		.filter(({ link, ours }) => ours && isProbing(link))
		.map(({ nic, link: { ifindex } }) => ({ ifindex, name: nic.name, networks: networksOf(nic) }))
}

/**
 * Whether a route shows that its network is directly attached to its link. Kernel routes are excluded, because they only repeat the
 * addresses; so is a default route or half of one, because it does not show which hosts are attached.
 */
function isOnLink({ table, type, protocol, via, to }: Route): boolean {
	return table === MAIN && type === UNICAST && protocol !== KERNEL && via === undefined && hasNetwork(to) && lengthOf(to) > 1
}

function isProbing({ ethernet, up, carrier }: Link): boolean {
	return ethernet && up && carrier
}

function newAddresses({ addresses }: Link, wanted: readonly string[]): string[] {
	const held = new Set(addresses.map(({ cidr }) => ipOf(cidr)))
	return [...new Set(wanted.map(ipOf))].filter(ip => familyOf(ip) === 4 && !held.has(ip))
}
