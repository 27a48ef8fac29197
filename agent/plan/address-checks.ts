import { canonicalIp } from '../../contract/ip.ts'
import type { Address, Link } from '../host/state.ts'
import { staleAddresses } from './addresses.ts'
import type { Check } from './check.ts'
import type { Question } from './preflight.ts'
import { addressesOf, ipOf } from './routing.ts'
import type { Placed, Selection } from './selection.ts'

/** A wanted address that this node has already, elsewhere. */

export const isAddressOfTheNode: Check<Question> = {
	reason: 'InUse',
	when: 'a wanted address is one by which Kubernetes knows the node',
	see: 'ip addr show to 192.168.0.11',
	find({ nic, nodeAddresses }) {
		const known = new Set(nodeAddresses.map(canonicalIp))
		const ip = ipsOf(nic).find(wanted => known.has(wanted))
		if (ip !== undefined) return { says: `${ip} is wanted here, and Kubernetes knows this node by it`, see: showing(ip) }
	},
}

/** Of two interfaces the first by id has the address. */
export const isWantedTwice: Check<Question> = {
	reason: 'InvalidConfig',
	when: 'an interface with a smaller id wants the same address',
	see: 'kubectl get multinicnodeconfigs -o yaml',
	find({ nic, interfaces }) {
		const ips = new Set(ipsOf(nic))
		const earlier = interfaces.filter(({ id }) => id < nic.id)
		const [first] = earlier.flatMap(other => ipsOf(other).flatMap(ip => (ips.has(ip) ? [{ ip, name: other.name }] : [])))
		if (!first) return
		return { says: `${first.ip} is wanted on ${first.name} as well`, see: 'kubectl get multinicnodeconfigs -o yaml' }
	},
}

/** An address that another of our NICs loses in this very run is free by the time it is assigned. */
export const isOnAnotherLink: Check<Placed> = {
	reason: 'InUse',
	when: 'a wanted address is on another link of the node and stays there',
	see: 'ip addr show to 10.0.0.23',
	find({ accepted: { nic, link }, selection, host }) {
		const wanted = new Set(ipsOf(nic))
		const others = host.links.filter(({ ifindex }) => ifindex !== link.ifindex)
		const held = others.flatMap(other =>
			other.addresses.flatMap(address => (wanted.has(ipOf(address.cidr)) && stays(address, other, selection) ? [{ other, address }] : [])),
		)[0]
		if (!held) return
		const ip = ipOf(held.address.cidr)
		return { says: `${ip} is wanted on ${nic.name}, and ${held.other.name} has it`, see: showing(ip) }
	},
}

function stays(address: Address, { ifindex }: Link, { accepted, released }: Selection): boolean {
	const wanted = accepted.find(({ link }) => link.ifindex === ifindex)
	const left = released.find(({ link }) => link?.ifindex === ifindex)
	const taken = [
		...(wanted ? staleAddresses(wanted.link, addressesOf(wanted.nic), wanted.ours) : []),
		...(left?.link ? staleAddresses(left.link, [], left.ours) : []),
	]
	return !taken.some(change => change.kind === 'removeAddress' && change.address === address)
}

/** A link-local IPv6 address is of its link alone, so several links may have the same one. @see RFC 4291, 2.5.6 */
function ipsOf(nic: Question['nic']): string[] {
	return addressesOf(nic)
		.map(ipOf)
		.filter(ip => !/^fe[89ab]/.test(ip))
}

function showing(ip: string): string {
	return `ip addr show to ${ip}`
}
