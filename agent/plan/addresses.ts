import { networkOf } from '../../contract/ip.ts'
import type { Address, Link } from '../host/state.ts'
import { wantedAddress } from './address-details.ts'
import { givenTo } from './memory.ts'
import { isMadeByKernel, metricOf } from './origin.ts'
import type { RecordedLink } from './record.ts'
import { familyOf, ipOf } from './routing.ts'
import type { Change } from './steps.ts'

/** Which addresses are taken from a link, which are given to it. */

/**
 * Ours of an earlier config, and what DHCP or a router gave: the profile that asked for it no longer rules this link. And what another
 * host had when the kernel asked, for it does so only of an address that is given. Last first, for the first of a network takes the others along.
 *
 * @param anew wanted addresses that the kernel changes only by removing and adding them
 */
export function staleAddresses(
	link: Link,
	wanted: readonly string[],
	ours: RecordedLink | undefined,
	anew: readonly string[] = [],
): Change[] {
	const { ifindex, addresses } = link
	const given = [...givenTo(ours), ...addresses.flatMap(({ cidr }) => (isOtherForm(cidr, wanted) ? [cidr] : []))]
	const misplaced = ours && String(ours.addresses) !== String(wanted) ? outOfOrder(addresses, wanted) : []
	const isWrong = ({ cidr, duplicate }: Address) => duplicate || misplaced.includes(cidr) || anew.includes(cidr)
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
	const { addresses } = link
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
	return { room: taken.filter(isInTheWay), forms: forms.map(cidr => addition(link, wantedAddress(cidr))) }
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

/** @param again what is given again: it may be gone by then, or is otherwise */
export function missingAddresses(link: Link, wanted: readonly string[], again: ReadonlySet<string>): Change[] {
	const present = new Set(link.addresses.flatMap(({ cidr, duplicate }) => (duplicate ? [] : [cidr])))
	return wanted.filter(cidr => again.has(cidr) || !present.has(cidr)).flatMap(cidr => additions(link, cidr))
}

/**
 * The kernel keeps the metric of an IPv6 address where none is given, and leaves the connected route of a lease where another is given: so
 * it is given for ever first.
 */
function additions(link: Link, cidr: string): Change[] {
	const address = wantedAddress(cidr)
	const found = link.addresses.find(had => had.family === 6 && had.cidr === cidr && metricOf(had) !== metricOf(address))
	if (!found) return [addition(link, address)]
	return [found, address].map(one => addition(link, { ...address, metric: metricOf(one) }))
}

function addition({ ifindex }: Link, address: Address): Change {
	return { kind: 'addAddress', link: ifindex, address }
}
