import { canonicalIp } from '../../contract/ip.ts'
import type { WantedInterface } from '../../contract/interface.ts'
import { routeTable } from '../../contract/names.ts'
import { givenTo, mtuAfter } from './memory.ts'
import type { HostState, Link } from '../host/state.ts'
import type { Refusal } from './match.ts'
import { isFor } from '../persist/networkd.ts'
import type { RecordedLink } from './record.ts'
import { addressesOf, bestDefault, familyOf, IPV6_MIN_MTU, ipOf } from './routing.ts'

export type Question = {
	nic: WantedInterface
	link: Link
	host: HostState
	/** What we remember of the link, if it was ours already. */
	ours: RecordedLink | undefined
	nodeAddresses: readonly string[]
	/** Of the links that are ours, or are to be. */
	own: ReadonlySet<number>
}
type Fact = (question: Question) => Refusal | undefined

/** Read top to bottom: the first fact that speaks refuses the link. */
const facts: readonly Fact[] = [
	enslaved,
	parentOfOthers,
	holdsNodeAddress,
	holdsDefaultRoute,
	holdsForeignAddress,
	tableServesOthers,
	keptByNetworkd,
	nameCannotBeSpelled,
	mtuOutOfRange,
	mtuTooSmallForIpv6,
]

/** May this link be touched? Undefined: nothing speaks against it. */
export function preflight(question: Question): Refusal | undefined {
	for (const fact of facts) {
		const refusal = fact(question)
		if (refusal) return refusal
	}
}

function enslaved({ link }: Question): Refusal | undefined {
	if (link.master !== undefined) return inUse(`${link.name} is a port of ${link.master}`)
}

/** A veth's other end also names it as the link below, and stands on nothing. */
function parentOfOthers({ link, host }: Question): Refusal | undefined {
	const child = host.links.find(other => other.lower === link.ifindex && other.kind !== 'veth')
	if (child) return inUse(`${child.name} stands on ${link.name}`)
}

function holdsNodeAddress({ link, nodeAddresses }: Question): Refusal | undefined {
	const wanted = new Set(nodeAddresses.map(canonicalIp))
	const held = link.addresses.find(({ cidr }) => wanted.has(ipOf(cidr)))
	if (held) return inUse(`${link.name} holds ${ipOf(held.cidr)}, by which Kubernetes knows this node`)
}

/** Ours may: then we gave it that route. */
function holdsDefaultRoute({ link, host, ours }: Question): Refusal | undefined {
	if (!ours && [4, 6].some(family => bestDefault(host.routes, family)?.link === link.ifindex))
		return inUse(`${link.name} carries the default route of this node`)
}

function holdsForeignAddress({ nic, link, ours }: Question): Refusal | undefined {
	const known = new Set([...addressesOf(nic), ...givenTo(ours)])
	const foreign = link.addresses.find(({ cidr, global, dynamic }) => global && !dynamic && !known.has(cidr))
	if (foreign) return inUse(`${link.name} has ${foreign.cidr}, which is not wanted here and was not given by DHCP`)
}

/** In the table of an interface its routes take the place of any other to the same network, of whatever type. */
function tableServesOthers({ nic, host, own }: Question): Refusal | undefined {
	const table = routeTable(nic.id)
	const other = host.routes.find(route => route.table === table && !(route.link !== undefined && own.has(route.link)))
	if (!nic.policyRouting || !other) return
	const over = host.links.find(({ ifindex }) => ifindex === other.link)?.name
	return inUse(`table ${table} holds a route to ${other.to}${over === undefined ? '' : ` over ${over}`}, which is none of ours`)
}

/** systemd-networkd lets go of a link whose new name its file is not for; of any other it would go on asking for a lease. */
function keptByNetworkd({ nic, link, host, ours }: Question): Refusal | undefined {
	const file = link.managedBy === 'systemd-networkd' && !ours ? link.networkFile : undefined
	const content = file === undefined ? undefined : host.files[file]?.content
	if (content !== undefined && isFor(content, { name: nic.name, mac: link.mac }))
		return inUse(`systemd-networkd configures ${link.name} by ${file}, which is for ${nic.name} as well: except multinic* there`)
}

/** `ip -batch` splits at spaces, quotes and `#`; a name that holds one could not be given back. */
function nameCannotBeSpelled({ link }: Question): Refusal | undefined {
	const odd = [link.name, ...link.altnames].find(name => !/^[\w.@-]+$/.test(name))
	if (odd !== undefined) return inUse(`the name ${JSON.stringify(odd)} of a link cannot be given back after a change`)
}

function mtuOutOfRange({ nic: { mtu }, link }: Question): Refusal | undefined {
	if (mtu === undefined) return
	if (mtu < link.minMtu) return { reason: 'MtuRefused', message: `${link.name} carries an MTU of ${link.minMtu} or more, not ${mtu}` }
	if (link.maxMtu > 0 && mtu > link.maxMtu)
		return { reason: 'MtuRefused', message: `${link.name} carries an MTU of ${link.maxMtu} or less, not ${mtu}` }
}

/** @see RFC 8200, 5: below 1280 bytes the kernel takes IPv6 from a link */
function mtuTooSmallForIpv6({ nic, link, ours }: Question): Refusal | undefined {
	const bytes = mtuAfter(nic, link, ours)
	const six = addressesOf(nic).find(cidr => familyOf(cidr) === 6)
	if (six !== undefined && bytes < IPV6_MIN_MTU)
		return { reason: 'MtuRefused', message: `${six} needs an MTU of ${IPV6_MIN_MTU} or more, not ${bytes}` }
}

function inUse(message: string): Refusal {
	return { reason: 'InUse', message }
}
