import type { WantedInterface } from '../../contract/interface.ts'
import { canonicalIp, networkOf } from '../../contract/ip.ts'
import type { HostState, Link } from '../host/state.ts'
import type { Packet } from './fib.ts'
import { cidrsOf, familyOf, ipOf, isLinkLocal } from './networks.ts'
import { addressIn, outside, ownAddresses } from './sample-address.ts'

/** A packet that an interface promises to send by its own link. */
export type OwnPacket = Packet & { id: number; from: string; link: number }

/**
 * What each wanted address promises: its network, also where the main table has no route to it, and, where the interface has a gateway of that family and a table of its own, the gateway
 * and the rest of the world are reached by the interface's own link.
 */
export function ownPackets(wanted: readonly { nic: WantedInterface; link: Pick<Link, 'ifindex'> }[], host: HostState): OwnPacket[] {
	const held = ownAddresses(host)
	const given = wanted.flatMap(({ nic }) => cidrsOf(nic).map(ipOf))
	const taken = new Set([...held, ...given])
	return wanted.flatMap(({ nic, link }) =>
		cidrsOf(nic)
			.filter(cidr => !isLinkLocal(cidr))
			.flatMap(cidr => {
				const [from, family] = [ipOf(cidr), familyOf(cidr)]
				return destinations(nic, cidr, { host, taken }).map(to => ({ id: nic.id, link: link.ifindex, family, from, to }))
			}),
	)
}

function destinations(nic: WantedInterface, cidr: string, { host, taken }: { host: HostState; taken: ReadonlySet<string> }): string[] {
	const family = familyOf(cidr)
	const neighbour = addressIn(networkOf(cidr), taken)
	const gateway = nic.gateway === undefined ? undefined : canonicalIp(nic.gateway)
	const isThrough = nic.policyRouting && gateway !== undefined && familyOf(gateway) === family
	const near = isThrough && !isLinkLocal(gateway) && !taken.has(gateway) ? [gateway] : []
	return [...(neighbour === undefined ? [] : [neighbour]), ...near, ...(isThrough ? outside(family, host) : [])]
}
