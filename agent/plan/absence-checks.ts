import { type Cause, firstRefusal, type Refusal, type RefusalCheck } from '../model/check.ts'
import type { HostState } from '../model/host-state.ts'
import type { RecordedLink } from '../model/record.ts'
import type { Leaving } from '../model/selection.ts'

/** Checks for NICs managed by MultiNIC that have no link on this host. */

type Absent = { ours: RecordedLink | undefined; host: HostState }

export const inOtherNamespace: RefusalCheck<Absent> = {
	reason: 'InOtherNamespace',
	when: 'the NIC was managed by MultiNIC and has been moved into another network namespace, such as that of a pod',
	see: 'lsns -t net',
	find: ({ ours, host }) => (ours ? whereabouts(ours, host) : undefined),
}

/** The NIC is released when its link returns; until then its record and files are kept. */
export const releasedLater: RefusalCheck<Leaving> = {
	reason: 'InOtherNamespace',
	when: 'the interface is no longer desired, and its NIC is in another network namespace; it is released when it returns',
	see: 'lsns -t net',
	find: ({ ours, link, host }) => (link ? undefined : whereabouts(ours, host)),
}

export const absenceChecks: readonly RefusalCheck<Absent>[] = [inOtherNamespace]

/** @returns why a recorded NIC is absent, if the cause is known */
export function absence(absent: Absent): Refusal | undefined {
	return firstRefusal(absenceChecks, absent)
}

function whereabouts({ mac, device }: RecordedLink, { inOtherNamespace }: HostState): Cause | undefined {
	if (!device || !inOtherNamespace?.includes(mac)) return undefined
	const says = `the NIC is in another network namespace, such as that of a pod: its device ${device.path} has the driver ${device.driver} and no link here`
	return { says, see: 'lsns -t net' }
}
