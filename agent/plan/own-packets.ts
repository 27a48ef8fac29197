import type { WantedInterface } from '../../contract/interface.ts'
import { canonicalIp, contains, ipOf, networkOf } from '../../contract/ip.ts'
import type { HostState, Link } from '../model/host-state.ts'
import { cidrsOf, familyOf, full, isLinkLocal } from '../model/networks.ts'
import type { Packet } from './fib.ts'
import { addressIn, isLoopback, outside, ownAddresses } from './sample-address.ts'

/**
 * A packet that an interface must send through its own link. `local`: a packet to this node itself, which must stay on the node.
 * `sampleOf`: what the destination represents, if it is a sample.
 */
export type OwnPacket = Packet & { id: number; from: string; link: number; local?: true; sampleOf?: string }

type RoutedNode = Pick<HostState, 'links' | 'routes'>

/** The table of the node's local addresses, and the type of its routes. @see rtnetlink(7) */
export const LOCAL_TABLE = 255
export const LOCAL = 2

/**
 * Returns the packets that must work from each desired address. The network of the address is reached over the link of the interface, even
 * if the main table has no route to it. If the interface has its own table and a gateway of that family, the gateway and all other
 * destinations are also reached over the link. Packets to this node itself stay on the node.
 */
export function ownPackets(wanted: readonly { nic: WantedInterface; link: Pick<Link, 'ifindex'> }[], host: RoutedNode): OwnPacket[] {
	const held = ownAddresses(host)
	const given = wanted.flatMap(({ nic }) => cidrsOf(nic).map(ipOf))
	const pods = new Set(wanted.flatMap(({ nic }) => nic.podNetworks ?? []))
	const known = { host, taken: new Set([...held, ...given]), stay: stayingHere(host, given, pods) }
	return wanted.flatMap(({ nic, link }) =>
		cidrsOf(nic)
			.filter(cidr => !isLinkLocal(cidr))
			.flatMap(cidr => {
				const from = ipOf(cidr)
				const common = { id: nic.id, link: link.ifindex, family: familyOf(cidr), from }
				const own = known.stay.given.has(from) ? [from] : []
				const here = [...own, ...known.stay.others.filter(ip => familyOf(ip) === common.family)]
				return [
					...destinations(nic, cidr, known).map(one => ({ ...common, ...one })),
					...here.map(to => ({ ...common, to, local: true as const })),
				]
			}),
	)
}

/**
 * Addresses that the kernel treats as local. `given`: addresses of the interfaces; `others`: one other address of each family and of each
 * pod network.
 */
type Staying = { given: ReadonlySet<string>; others: readonly string[] }

function stayingHere({ links, routes }: RoutedNode, given: readonly string[], pods: Iterable<string>): Staying {
	const local = new Set(routes.filter(({ table, type }) => table === LOCAL_TABLE && type === LOCAL).map(({ to }) => to))
	const isLocal = (ip: string) => local.has(`${ip}/${full(ip)}`)
	const wanted = new Set(given)
	const others = links
		.flatMap(({ addresses }) => addresses.map(({ cidr }) => ipOf(cidr)))
		.filter(ip => !wanted.has(ip) && !isLoopback(ip) && !isLinkLocal(ip) && isLocal(ip))
	const first = [...FAMILIES, ...pods].flatMap(network => others.find(ip => contains(network, ip)) ?? [])
	return { given: new Set(given.filter(isLocal)), others: [...new Set(first)] }
}

const FAMILIES = ['0.0.0.0/0', '::/0']

type SampleInput = { host: RoutedNode; taken: ReadonlySet<string> }

function destinations(nic: WantedInterface, cidr: string, { host, taken }: SampleInput): Pick<OwnPacket, 'to' | 'sampleOf'>[] {
	const family = familyOf(cidr)
	const network = networkOf(cidr)
	const neighbour = addressIn(network, taken, nic.podNetworks)
	const gateway = nic.gateway === undefined ? undefined : canonicalIp(nic.gateway)
	const isThrough = nic.policyRouting && gateway !== undefined && familyOf(gateway) === family
	const near = isThrough && !isLinkLocal(gateway) && !taken.has(gateway) ? [gateway] : []
	return [
		...(neighbour === undefined ? [] : [{ to: neighbour, ...(neighbour !== gateway && { sampleOf: network }) }]),
		...near.map(to => ({ to })),
		...(isThrough ? outside(family, host, nic.podNetworks).map(to => ({ to, sampleOf: 'destinations outside' })) : []),
	]
}
