import { ipOf, networkOf } from '../../contract/ip.ts'
import type { Address } from '../model/address.ts'
import type { Change } from '../model/change.ts'
import type { Link } from '../model/host-state.ts'
import { familyOf } from '../model/networks.ts'
import { isMadeByKernel, metricOf } from '../model/origin.ts'
import type { RecordedLink } from '../model/record.ts'
import { wantedAddress } from './address-details.ts'
import { addressesWeAdded } from './record-link.ts'

/** Determines which addresses a run removes from a link, and which it adds. */

/**
 * Returns the removals of addresses from an earlier config, and of addresses from DHCP or a router, because the profile that requested the
 * latter no longer applies to this link. Also removes desired addresses that failed duplicate address detection, because the kernel
 * repeats the detection only when an address is added. The removals are in reverse order, because the kernel removes the other addresses
 * of a network together with the first one.
 *
 * @param anew desired addresses that must be removed and added again to change them
 */
export function staleAddresses(
	link: Link,
	wanted: readonly string[],
	ours: RecordedLink | undefined,
	anew: readonly string[] = [],
): Change[] {
	const { ifindex, addresses } = link
	const given = [...addressesWeAdded(ours), ...addresses.map(({ cidr }) => cidr).filter(cidr => isOtherForm(cidr, wanted))]
	const misplaced = ours && String(ours.addresses) !== String(wanted) ? outOfOrder(addresses, wanted) : []
	const isWrong = ({ cidr, duplicate }: Address) => duplicate || misplaced.includes(cidr) || anew.includes(cidr)
	const stale = (address: Address) => {
		const { cidr, global, dynamic } = address
		if (wanted.includes(cidr)) return isWrong(address)
		// A link-local address that MultiNIC added is removed too, but not the one that the kernel derives from the MAC.
		return given.includes(cidr) ? !isMadeByKernel(address, link) : global && dynamic
	}
	return addresses
		.filter(stale)
		.toReversed()
		.map(address => ({ kind: 'removeAddress', link: ifindex, address }))
}

/** Whether this is a desired address with another prefix length. */
function isOtherForm(cidr: string, wanted: readonly string[]): boolean {
	return !wanted.includes(cidr) && wanted.some(other => ipOf(other) === ipOf(cidr))
}

/**
 * If the prefix length of an IPv4 address changes, the new form is added before the old one is removed, so that the link always has the
 * address. Removals in the new network come even earlier, because they could also remove the new form. If an address that precedes it in
 * the network is not yet on the link, the new form is added later together with that address to keep their order.
 *
 * @returns `room`: the removals that come first; `forms`: the additions that follow
 */
export function otherPrefixLengths(link: Link, wanted: readonly string[], taken: readonly Change[]): { room: Change[]; forms: Change[] } {
	const { addresses } = link
	const held = new Set(addresses.map(({ cidr }) => ipOf(cidr)))
	const present = new Set(addresses.map(({ cidr }) => cidr))
	const along = removedWithPrimary(link, taken)
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
 * Returns the IPv4 addresses that are out of order. The first address of a network is the source of packets to that network; after the
 * next boot this is the first one in the config. The caller checks the order only if the config has changed, so an order in which a daemon
 * added the addresses at boot is not corrected.
 */
function outOfOrder(addresses: readonly Address[], wanted: readonly string[]): string[] {
	const four = wanted.filter(cidr => familyOf(cidr) === 4)
	return [...new Set(four.map(networkOf))].flatMap(network => {
		const order = four.filter(cidr => networkOf(cidr) === network)
		const present = addresses.map(({ cidr }) => cidr).filter(cidr => order.includes(cidr))
		const right = present.findIndex((cidr, at) => cidr !== order[at])
		return right === -1 ? [] : present.slice(right)
	})
}

/**
 * Returns the IPv4 addresses that may disappear when some are removed: by default (`promote_secondaries` 0) the kernel removes all
 * addresses of a network together with the first one.
 */
export function removedWithPrimary({ addresses }: Link, taken: readonly Change[]): Set<string> {
	const goes = new Set(taken.flatMap(change => (change.kind === 'removeAddress' ? [change.address.cidr] : [])))
	const four = addresses.filter(({ family }) => family === 4).map(({ cidr }) => cidr)
	const first = (cidr: string) => four.find(other => networkOf(other) === networkOf(cidr))
	return new Set(four.filter(cidr => goes.has(cidr) || goes.has(first(cidr) ?? '')))
}

/** @param again addresses to add again, because they may have been removed by then or have different attributes */
export function missingAddresses(link: Link, wanted: readonly string[], again: ReadonlySet<string>): Change[] {
	const present = new Set(link.addresses.filter(({ duplicate }) => !duplicate).map(({ cidr }) => cidr))
	return wanted.filter(cidr => again.has(cidr) || !present.has(cidr)).flatMap(cidr => additions(link, cidr))
}

/**
 * Changes the metric of an IPv6 address in two steps. The kernel keeps the metric if none is given, and does not remove the old connected
 * route of a lease if another metric is given, so the address is first made permanent with its current metric.
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
