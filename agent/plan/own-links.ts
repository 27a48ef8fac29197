import type { Reason } from '../../contract/reasons.ts'
import type { HostState } from '../model/host-state.ts'
import { identityOf } from '../model/link-identity.ts'
import { recorded, recordOf } from '../model/record.ts'
import type { Selection } from '../model/selection.ts'

/**
 * Reasons with which a refused link is not considered managed by MultiNIC, because something else uses it. A link that only failed is
 * considered managed.
 */
const OF_OTHERS: ReadonlySet<Reason> = new Set(['InUse', 'Ambiguous'])

/** @returns ifindexes of the links that are, or will be, managed by MultiNIC. Excludes links that this run releases. */
export function ownLinks({ accepted, refused, kept }: Pick<Selection, 'accepted' | 'refused' | 'kept'>, host: HostState): Set<number> {
	const record = recordOf(host)
	const failed = refused.filter(({ nic, refusal }) => recorded(record, nic.macAddress) || !OF_OTHERS.has(refusal.reason))
	const staying = host.links.filter(link => kept.some(({ ours }) => ours.mac === identityOf(link)))
	return new Set(
		[...accepted.map(({ link }) => link), ...failed.flatMap(({ link }) => link ?? []), ...staying].map(({ ifindex }) => ifindex),
	)
}
