import { canonicalIp, networkOf } from '../contract/ip.ts'
import type { Interface } from '../contract/interface.ts'
import type { InterfaceStatus } from '../contract/node-config.ts'
import { type Decision, say } from './decision.ts'
import type { ConfigView, Rival, Snapshot } from './snapshot.ts'
import { pendingStatus } from './status.ts'

/** A MAC and an address belong to one node. Pure. */

/** What a node config claims of the network, each in a form of its own; equal texts are the same thing. */
export type Claim = string

/** A node config with what its spec claims. */
export type Claimant = Pick<ConfigView, 'name' | 'created' | 'status'>

/** The younger of two that claim the same is not run: the node would take the address from the other. It heals when one of them goes. */
export function isRivalled(snapshot: Snapshot): Decision | undefined {
	const { rival, config } = snapshot
	if (!rival || config.deleting || !('value' in snapshot.spec) || snapshot.spec.value.mode === 'Plan') return undefined
	const message = `${rival.what} is also claimed by node config ${rival.name}, which has it longer. The run starts when one of the two lets it go.`
	const moment = `${config.name}.${config.uid.slice(0, 8)}.conflict-g${config.generation}`
	return say(snapshot, 'Conflict', pendingStatus(snapshot, 'Conflict', message), moment)
}

/** Every MAC, and every address with the subnet it is in; addresses of networks that are not told apart by an id are told apart by their cidr. */
export function claimsOf(nics: readonly Interface[]): Claim[] {
	return nics.flatMap(nic => [`MAC ${nic.macAddress}`, ...addressesOf(nic)])
}

function addressesOf(nic: Interface): Claim[] {
	const first = nic.address !== undefined && nic.cidr !== undefined ? [[nic.address, nic.cidr] as const] : []
	const further = (nic.addresses ?? []).map(cidr => [cidr.slice(0, cidr.indexOf('/')), cidr] as const)
	return [...first, ...further].map(([address, cidr]) => `address ${canonicalIp(address)} in ${subnetOf(nic, cidr)}`)
}

/** A port's subnet is that of its fixed IP; a further address may lie in another one of the same network. */
function subnetOf({ subnetId, networkId, cidr: own }: Interface, cidr: string): string {
	const network = networkOf(cidr)
	if (subnetId && own && networkOf(own) === network) return subnetId
	return networkId ? `${network} of ${networkId}` : network
}

/** @returns the one with the better right to it: who has it configured, and longest; else whose object is older; else by name */
export function older<T extends Claimant>(claim: Claim, a: T, b: T): T {
	const [since, other] = [configuredSince(claim, a), configuredSince(claim, b)]
	if (since !== other) return since < other ? a : b
	if (a.created !== b.created) return a.created < b.created ? a : b
	return a.name < b.name ? a : b
}

/** What is claimed in the words of a message: without what only tells networks apart. */
export function wordsOf(claim: Claim): string {
	return claim.replace(/ in .*$/, '')
}

/** @returns milliseconds since 1970; infinity where the status does not know it on the node */
function configuredSince(claim: Claim, { status }: Claimant): number {
	const nic = (status.interfaceStatuses ?? []).find(one => holds(claim, one))
	const since = Date.parse(nic?.lastConfigured ?? '')
	return Number.isNaN(since) ? Number.POSITIVE_INFINITY : since
}

function holds(claim: Claim, { macAddress, observed }: InterfaceStatus): boolean {
	if (claim.startsWith('MAC ')) return claim === `MAC ${macAddress}`
	return (observed?.addresses ?? []).some(cidr => claim.startsWith(`address ${cidr.slice(0, cidr.indexOf('/'))} in `))
}

/** @returns the strongest of those who claim the same with a better right, and the claim */
export function rivalOf(own: Claimant, contested: readonly { claim: Claim; others: readonly Claimant[] }[]): Rival | undefined {
	for (const { claim, others } of contested) {
		const holder = others.reduce((best, other) => older(claim, best, other), own)
		if (holder !== own) return { name: holder.name, what: wordsOf(claim) }
	}
	return undefined
}
