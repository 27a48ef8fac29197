import type { Reason } from '../../contract/reasons.ts'
import type { Link } from '../host/state.ts'

/** Why an interface is not configured in this run. */
export type Refusal = { reason: Reason; message: string }

/** Kinds of link that may be a port's NIC. `hardware`: what the kernel calls no kind at all. */
export type LinkKinds = ReadonlySet<string>

/** What the product accepts; kernel tests add `veth`. */
export const hardwareOnly: LinkKinds = new Set(['hardware'])

/** @returns the MAC that tells a link: the one it was made with, else the one it has */
export function identityOf({ permanentMac, mac }: Link): string {
	return permanentMac ?? mac
}

/** Finds the one link of a MAC: by permanent MAC, and only if there is none by current MAC. */
export function match(macAddress: string, links: readonly Link[], kinds: LinkKinds): Link | Refusal {
	const candidates = links.filter(link => link.ethernet && kinds.has(link.kind ?? 'hardware'))
	const permanent = candidates.filter(link => identityOf(link) === macAddress)
	const found = permanent.length > 0 ? permanent : candidates.filter(({ mac }) => mac === macAddress)
	const [first, ...more] = found
	if (!first) return { reason: 'WaitingForDevice', message: `no link has MAC ${macAddress} yet` }
	if (more.length === 0) return first
	return { reason: 'Ambiguous', message: `${found.map(({ name }) => name).join(' and ')} have MAC ${macAddress}` }
}

/** Tells a refusal from a link. */
export function isRefusal(found: Link | Refusal): found is Refusal {
	return 'reason' in found
}
