import { type Refusal, refusalOf, type Row } from '../model/check.ts'
import type { Link } from '../model/host-state.ts'
import { identityOf } from '../model/link-identity.ts'

/** Kinds of link that may be the NIC of a port. `hardware`: links for which the kernel reports no kind. */
export type LinkKinds = ReadonlySet<string>

/** The kinds that the product accepts; kernel tests add `veth`. */
export const hardwareOnly: LinkKinds = new Set(['hardware'])

const notThere = {
	reason: 'WaitingForDevice',
	when: 'no link of the node has the MAC of the interface yet',
	see: 'ip -br link',
} as const satisfies Row
const twice = {
	reason: 'Ambiguous',
	when: 'two links that look like hardware have the MAC of the interface',
	see: 'ip -br link',
} as const satisfies Row
export const matchRows: readonly Row[] = [notThere, twice]

/** Finds the only link with a MAC: by permanent MAC, or by current MAC if no permanent MAC matches. */
export function matchLink(macAddress: string, links: readonly Link[], kinds: LinkKinds): Link | Refusal {
	const candidates = links.filter(link => link.ethernet && kinds.has(link.kind ?? 'hardware'))
	const permanent = candidates.filter(link => identityOf(link) === macAddress)
	const found = permanent.length > 0 ? permanent : candidates.filter(({ mac }) => mac === macAddress)
	const [first, ...more] = found
	if (!first) return refusalOf(notThere.reason, { says: `no link has MAC ${macAddress} yet`, see: notThere.see })
	if (more.length === 0) return first
	return refusalOf(twice.reason, { says: `${found.map(({ name }) => name).join(' and ')} have MAC ${macAddress}`, see: twice.see })
}

/** Distinguishes a refusal from a link. */
export function isRefusal(found: Link | Refusal): found is Refusal {
	return 'reason' in found
}
