import { canonicalIp, networkOf } from '../contract/ip.ts'
import type { Interface } from '../contract/interface.ts'
import type { InterfaceStatus } from '../contract/node-config.ts'
import { type Decision, say } from './decision.ts'
import type { ConfigView, Snapshot } from './snapshot.ts'
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
	const message = `${rival.what} is already used by node config ${rival.name}. The run starts when one of the two no longer uses it.`
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

/** How good the right of a node config to a claim is. `key` is that of the node config, `since` and `created` are milliseconds since 1970. */
export type Right = { key: string; since: number; created: number; name: string }

/** @returns the right of that node config to what it claims; `since` is infinity where its status does not know it on the node */
export function rightTo(claim: Claim, key: string, { name, created, status }: Claimant): Right {
	return { key, since: configuredSince(claim, status), created, name }
}

/** Whether the first has the better right: who has it configured, and longest; else whose object is older; else by name. */
export function isBetter(a: Right, b: Right): boolean {
	if (a.since !== b.since) return a.since < b.since
	if (a.created !== b.created) return a.created < b.created
	return a.name < b.name
}

/** What is claimed in the words of a message: without what only tells networks apart. */
export function wordsOf(claim: Claim): string {
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
