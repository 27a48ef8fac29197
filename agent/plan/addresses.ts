import { networkOf } from '../../contract/ip.ts'
import type { Address, Link } from '../host/state.ts'
import { givenTo } from './memory.ts'
import { isMadeByKernel } from './origin.ts'
import type { RecordedLink } from './record.ts'
import { familyOf, ipOf } from './routing.ts'
import type { Change } from './steps.ts'

/** Which addresses are taken from a link, which are given to it. */

/**
 * Ours of an earlier config, and what DHCP or a router gave: the profile that asked for it no longer rules this link. And what another
 * host had when the kernel asked, for it does so only of an address that is given. Last first, for the first of a network takes the others along.
 *
 * @param unrouted wanted addresses without a connected route; of an IPv4 address the kernel changes that only by adding it again
 */
export function staleAddresses(
	link: Link,
	wanted: readonly string[],
	ours: RecordedLink | undefined,
	unrouted: readonly string[] = [],
): Change[] {
	const { ifindex, addresses } = link
	const given = [...givenTo(ours), ...addresses.flatMap(({ cidr }) => (isOtherForm(cidr, wanted) ? [cidr] : []))]
	const misplaced = ours && String(ours.addresses) !== String(wanted) ? outOfOrder(addresses, wanted) : []
	const isWrong = ({ cidr, family, duplicate }: Address) =>
		duplicate || misplaced.includes(cidr) || (family === 4 && unrouted.includes(cidr))
	const stale = (address: Address) => {
		const { cidr, global, dynamic } = address
		if (wanted.includes(cidr)) return isWrong(address)
		// An fe80:: that we gave goes too; not the one that the kernel makes of the MAC.
		return given.includes(cidr) ? !isMadeByKernel(address, link) : global && dynamic
	}
	return addresses
		.filter(stale)
		.toReversed()
		.map(address => ({ kind: 'removeAddress', link: ifindex, address }))
}

/** Whether a wanted address is on the link with another prefix length than it is to have. */
function isOtherForm(cidr: string, wanted: readonly string[]): boolean {
	return !wanted.includes(cidr) && wanted.some(other => ipOf(other) === ipOf(cidr))
}

/**
 * IPv4 addresses that change their prefix length are given before the other form is taken, so that the link is never without them. What is
 * taken of the networks that they get is taken before that: it would take them along. One that follows an address which the link does not
 * have by then is given with that one, so that they keep their order.
 *
 * @returns `room`: removals; `forms`: additions
 */
export function otherForms(link: Link, wanted: readonly string[], taken: readonly Change[]): { room: Change[]; forms: Change[] } {
	const { ifindex, addresses } = link
	const held = new Set(addresses.map(({ cidr }) => ipOf(cidr)))
	const present = new Set(addresses.map(({ cidr }) => cidr))
	const along = goingAlong(link, taken)
	const isForm = (cidr: string) => familyOf(cidr) === 4 && held.has(ipOf(cidr)) && !present.has(cidr)
	const isThere = (cidr: string) => isForm(cidr) || (present.has(cidr) && !along.has(cidr))
	const ofNetwork = (cidr: string) => wanted.filter(other => networkOf(other) === networkOf(cidr))
	const isInOrder = (cidr: string) => ofNetwork(cidr).slice(0, ofNetwork(cidr).indexOf(cidr)).every(isThere)
	const forms = wanted.filter(cidr => isForm(cidr) && isInOrder(cidr))
	const networks = new Set(forms.map(networkOf))
	const isInTheWay = (change: Change) => change.kind === 'removeAddress' && networks.has(networkOf(change.address.cidr))
	return { room: taken.filter(isInTheWay), forms: forms.map(cidr => addition(ifindex, cidr)) }
}

/**
 * The first IPv4 address of a network is the source of what the host sends there; at the next boot that is the first of the config. Looked at
 * when the config has changed: a daemon that gave them in another order at boot is not corrected.
 */
function outOfOrder(addresses: readonly Address[], wanted: readonly string[]): string[] {
	const four = wanted.filter(cidr => familyOf(cidr) === 4)
	return [...new Set(four.map(networkOf))].flatMap(network => {
		const order = four.filter(cidr => networkOf(cidr) === network)
		const present = addresses.flatMap(({ cidr }) => (order.includes(cidr) ? [cidr] : []))
		const right = present.findIndex((cidr, at) => cidr !== order[at])
		return right === -1 ? [] : present.slice(right)
	})
}

/**
 * IPv4 addresses that may be gone once some are taken: by the kernel's default (`promote_secondaries` 0) the first of a network takes the
 * others of it along.
 */
export function goingAlong({ addresses }: Link, taken: readonly Change[]): Set<string> {
	const goes = new Set(taken.flatMap(change => (change.kind === 'removeAddress' ? [change.address.cidr] : [])))
	const four = addresses.filter(({ family }) => family === 4).map(({ cidr }) => cidr)
	const first = (cidr: string) => four.find(other => networkOf(other) === networkOf(cidr))
	return new Set(four.filter(cidr => goes.has(cidr) || goes.has(first(cidr) ?? '')))
}

/** @param along what is given again, for it may be gone by then */
export function missingAddresses({ ifindex, addresses }: Link, wanted: readonly string[], along: ReadonlySet<string>): Change[] {
	return wanted
		.filter(cidr => along.has(cidr) || !addresses.some(address => address.cidr === cidr && !address.dynamic && !address.duplicate))
		.map(cidr => addition(ifindex, cidr))
}

/** With `brd +` an IPv4 address has the broadcast address of its network. */
function addition(link: number, cidr: string): Change {
	const family = familyOf(cidr)
	return { kind: 'addAddress', link, address: { family, cidr, global: true, dynamic: false, ...(family === 4 && { broadcast: '+' }) } }
}
