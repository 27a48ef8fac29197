import { canonicalIp, ipOf, lengthOf, parseIp } from '../../contract/ip.ts'
import type { Address } from '../model/address.ts'
import type { RefusalCheck } from '../model/check.ts'
import { addressesOf } from '../model/desired-network.ts'
import type { HostState, Link } from '../model/host-state.ts'
import { full } from '../model/networks.ts'
import { linksOf, MAIN, type Route } from '../model/route.ts'
import type { Placed, Selection } from '../model/selection.ts'
import { staleAddresses } from './addresses.ts'
import { addressesAfterRelease } from './after-release.ts'
import { METADATA_SERVICE } from './metadata-address.ts'
import type { PreflightInput } from './preflight-input.ts'

/** Checks for desired addresses that this node already has or reaches elsewhere. */

export const addressOfTheNode: RefusalCheck<PreflightInput> = {
	reason: 'InUse',
	when: 'a desired address is one that Kubernetes lists for the node',
	see: 'ip addr show to 192.168.0.11',
	find({ nic, nodeAddresses }) {
		const known = new Set(nodeAddresses.map(canonicalIp))
		const ip = ipsOf(nic).find(wanted => known.has(wanted))
		if (ip !== undefined) return { says: `${ip} is requested here, and Kubernetes lists it for this node`, see: showing(ip) }
	},
}

/** The kernel delivers packets for a local address to the node itself, so the real owner of the address would become unreachable. */
export const neededElsewhere: RefusalCheck<PreflightInput> = {
	reason: 'InUse',
	when: 'a desired address is that of the API server, a nameserver, the metadata service or a pod (the node has a host route to it over another link), and no link of the node has it',
	see: 'ip route get 10.96.0.1',
	find({ nic, needed = [], own, host }) {
		const known = new Set([...needed, ...METADATA_SERVICE].filter(parseIp).map(canonicalIp))
		const held = new Set(host.links.flatMap(link => link.addresses.map(({ cidr }) => ipOf(cidr))))
		const elsewhere = host.routes.filter(route => isAlone(route) && linksOf(route).some(link => !own.has(link)))
		const alone = new Set(elsewhere.map(({ to }) => ipOf(to)))
		const ip = ipsOf(nic).find(wanted => (known.has(wanted) || alone.has(wanted)) && !held.has(wanted))
		if (ip !== undefined)
			return { says: `${ip} is requested here, and this node reaches another machine or pod at it`, see: `ip route get ${ip}` }
	},
}

function isAlone({ table, type, to }: Route): boolean {
	return table === MAIN && type === 1 && lengthOf(to) === full(to)
}

/** If two interfaces request the same address, the one with the smaller id gets it. */
export const wantedTwice: RefusalCheck<PreflightInput> = {
	reason: 'InvalidConfig',
	when: 'an interface with a smaller id has the same address',
	see: 'kubectl get multinicnodeconfigs -o yaml',
	find({ nic, interfaces }) {
		const ips = new Set(ipsOf(nic))
		const earlier = interfaces.filter(({ id }) => id < nic.id)
		const [first] = earlier.flatMap(other => ipsOf(other).flatMap(ip => (ips.has(ip) ? [{ ip, name: other.name }] : [])))
		if (!first) return
		return { says: `${first.ip} is also requested on ${first.name}`, see: 'kubectl get multinicnodeconfigs -o yaml' }
	},
}

/** An address that this run removes from another NIC managed by MultiNIC is free by the time it is assigned. */
export const onAnotherLink: RefusalCheck<Placed> = {
	reason: 'InUse',
	when: 'a desired address is on another link of the node and stays there',
	see: 'ip addr show to 10.0.0.23',
	find({ accepted: { nic, link }, selection, host }) {
		const wanted = new Set(ipsOf(nic))
		const others = host.links.filter(({ ifindex }) => ifindex !== link.ifindex)
		const held = others.flatMap(other =>
			staying(other, selection, host).flatMap(({ cidr }) => (wanted.has(ipOf(cidr)) ? [{ other, ip: ipOf(cidr) }] : [])),
		)[0]
		if (!held) return
		return { says: `${held.ip} is requested on ${nic.name}, but ${held.other.name} has it`, see: showing(held.ip) }
	},
}

/** Returns the addresses that a link has after the run, without those that the run adds to an accepted link. */
function staying(link: Link, { accepted, released }: Selection, host: HostState): readonly Address[] {
	const left = released.find(one => one.link?.ifindex === link.ifindex)
	if (left?.link) return addressesAfterRelease({ ours: left.ours, link: left.link }, host)
	const wanted = accepted.find(one => one.link.ifindex === link.ifindex)
	const taken = wanted ? staleAddresses(wanted.link, addressesOf(wanted.nic), wanted.ours) : []
	return link.addresses.filter(address => !taken.some(change => change.kind === 'removeAddress' && change.address === address))
}

/** A link-local IPv6 address is valid on its link only, so several links may have the same one. @see RFC 4291, 2.5.6 */
function ipsOf(nic: PreflightInput['nic']): string[] {
	return addressesOf(nic)
		.map(ipOf)
		.filter(ip => !/^fe[89ab]/.test(ip))
}

function showing(ip: string): string {
	return `ip addr show to ${ip}`
}
