import type { WantedInterface } from '../../contract/interface.ts'
import { canonicalIp, ipOf, networkOf } from '../../contract/ip.ts'
import type { Family, HostState, Link } from '../model/host-state.ts'
import { cidrsOf, familyOf, full, isLinkLocal } from '../model/networks.ts'
import type { Packet } from './fib.ts'
import { addressIn, isLoopback, outside, ownAddresses } from './sample-address.ts'

/**
 * A packet that an interface promises to send by its own link. `local`: a packet to this node itself, which has to stay here. `sampleOf`:
 * what the destination represents, if it is a sample.
 */
export type OwnPacket = Packet & { id: number; from: string; link: number; local?: true; sampleOf?: string }

type Node = Pick<HostState, 'links' | 'routes'>

/** The table of the node's local addresses, and the type of its routes. @see rtnetlink(7) */
export const LOCAL_TABLE = 255
export const LOCAL = 2

/**
 * Returns what each desired address promises. Its network is reached over the link of the interface, even if the main table has no route to
 * it. If the interface has a gateway of that family and its own table, so are the gateway and the rest of the world. Packets to this node
 * itself stay on this node.
 */
export function ownPackets(wanted: readonly { nic: WantedInterface; link: Pick<Link, 'ifindex'> }[], host: Node): OwnPacket[] {
	const held = ownAddresses(host)
	const given = wanted.flatMap(({ nic }) => cidrsOf(nic).map(ipOf))
	const known = { host, taken: new Set([...held, ...given]), stay: stayingHere(host, given) }
	return wanted.flatMap(({ nic, link }) =>
		cidrsOf(nic)
			.filter(cidr => !isLinkLocal(cidr))
			.flatMap(cidr => {
				const from = ipOf(cidr)
				const common = { id: nic.id, link: link.ifindex, family: familyOf(cidr), from }
				const own = known.stay.given.has(from) ? [from] : []
				const here = [...own, ...known.stay.others[common.family]]
				return [
					...destinations(nic, cidr, known).map(one => ({ ...common, ...one })),
					...here.map(to => ({ ...common, to, local: true as const })),
				]
			}),
	)
}

/** Addresses that the kernel treats as local: those that are added, and one other of each family. */
type Staying = { given: ReadonlySet<string>; others: Record<Family, readonly string[]> }

function stayingHere({ links, routes }: Node, given: readonly string[]): Staying {
	const local = new Set(routes.flatMap(({ table, type, to }) => (table === LOCAL_TABLE && type === LOCAL ? [to] : [])))
	const isLocal = (ip: string) => local.has(`${ip}/${full(ip)}`)
	const wanted = new Set(given)
	const others = links
		.flatMap(({ addresses }) => addresses.map(({ cidr }) => ipOf(cidr)))
		.filter(ip => !wanted.has(ip) && !isLoopback(ip) && !isLinkLocal(ip) && isLocal(ip))
	const first = (family: Family) => others.filter(ip => familyOf(ip) === family).slice(0, 1)
	return { given: new Set(given.filter(isLocal)), others: { 4: first(4), 6: first(6) } }
}

type Known = { host: Node; taken: ReadonlySet<string> }

function destinations(nic: WantedInterface, cidr: string, { host, taken }: Known): Pick<OwnPacket, 'to' | 'sampleOf'>[] {
	const family = familyOf(cidr)
	const network = networkOf(cidr)
	const neighbour = addressIn(network, taken, nic.podNetworks)
	const gateway = nic.gateway === undefined ? undefined : canonicalIp(nic.gateway)
	const isThrough = nic.policyRouting && gateway !== undefined && familyOf(gateway) === family
	const near = isThrough && !isLinkLocal(gateway) && !taken.has(gateway) ? [gateway] : []
	return [
		...(neighbour === undefined ? [] : [{ to: neighbour, ...(neighbour !== gateway && { sampleOf: network }) }]),
		...near.map(to => ({ to })),
		...(isThrough ? outside(family, host, nic.podNetworks).map(to => ({ to, sampleOf: 'the outside' })) : []),
	]
}
