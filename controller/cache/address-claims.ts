import { canonicalIp, networkOf } from '../../contract/ip.ts'
import type { Interface } from '../../contract/interface.ts'
import type { InterfaceStatus } from '../../contract/node-config.ts'
import type { ConfigView } from '../model/snapshot.ts'

/** A MAC or an address may belong to only one node. Pure. */

/** A MAC or address that a node config claims, in canonical form: equal strings are the same claim. */
export type Claim = string

/** The fields of a node config that determine its precedence for a claim. */
export type Claimant = Pick<ConfigView, 'name' | 'created' | 'status'>

/**
 * Returns a claim for every MAC, and for every address within its subnet. Addresses in networks without an id are distinguished by their
 * CIDR.
 */
export function claimsOf(nics: readonly Interface[]): Claim[] {
	return nics.flatMap(nic => [`MAC ${nic.macAddress}`, ...addressesOf(nic)])
}

function addressesOf(nic: Interface): Claim[] {
	const first = nic.address !== undefined && nic.cidr !== undefined ? [[nic.address, nic.cidr] as const] : []
	const further = (nic.addresses ?? []).map(cidr => [cidr.slice(0, cidr.indexOf('/')), cidr] as const)
	return [...first, ...further].map(([address, cidr]) => `address ${canonicalIp(address)} in ${subnetOf(nic, cidr)}`)
}

/**
 * Returns the subnet of an address. `subnetId` is the subnet of the port's fixed IP; an additional address may be in another subnet of the
 * same network.
 */
function subnetOf({ subnetId, networkId, cidr: own }: Interface, cidr: string): string {
	const network = networkOf(cidr)
	if (subnetId && own && networkOf(own) === network) return subnetId
	return networkId ? `${network} of ${networkId}` : network
}

/**
 * The precedence of a node config for a claim. `key` is the key of the node config; `since` and `created` are in milliseconds since 1970.
 */
export type ClaimRight = { key: string; since: number; created: number; name: string }

/**
 * @returns the precedence of the node config for the claim; `since` is Infinity if its status does not report the claim as configured on
 *   the node
 */
export function rightTo(claim: Claim, key: string, { name, created, status }: Claimant): ClaimRight {
	return { key, since: configuredSince(claim, status), created, name }
}

/**
 * Whether `a` takes precedence: the node config that has had the claim configured for longer, then the older object, then the first by
 * name.
 */
export function isPriorClaim(a: ClaimRight, b: ClaimRight): boolean {
	if (a.since !== b.since) return a.since < b.since
	if (a.created !== b.created) return a.created < b.created
	return a.name < b.name
}

/** Returns the claim as shown in messages, without the part that only distinguishes networks. */
export function claimText(claim: Claim): string {
	return claim.replace(/ in .*$/, '')
}

function configuredSince(claim: Claim, status: Claimant['status']): number {
	const nic = (status.interfaceStatuses ?? []).find(one => holds(claim, one))
	const since = Date.parse(nic?.lastConfigured ?? '')
	return Number.isNaN(since) ? Number.POSITIVE_INFINITY : since
}

function holds(claim: Claim, { macAddress, observed }: InterfaceStatus): boolean {
	if (claim.startsWith('MAC ')) return claim === `MAC ${macAddress}`
	return (observed?.addresses ?? []).some(cidr => claim.startsWith(`address ${cidr.slice(0, cidr.indexOf('/'))} in `))
}
