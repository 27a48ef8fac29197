import { CONTROLLER_LEASE } from '../../contract/names.ts'
import { condition } from '../../contract/status.ts'
import { Event, Lease, Node } from '../../runtime/kube/index.ts'
import type { Reading } from '../read/reading.ts'
import { leaderlessWords } from '../render/leaderless.ts'
import type { Session } from '../read/session.ts'
import { unlessForbidden } from '../read/unless-forbidden.ts'

/** Objects related to a node config that may explain why nothing happens to it. Objects that the user may not read are omitted. */

/** Returns the status of the Node's condition Ready; empty if there is no such Node, undefined if the user may not read it. */
export async function readReady({ cluster, signal }: Reading, name: string): Promise<string | undefined> {
	const node = await unlessForbidden(cluster.client.find(Node, { name }, { signal }))
	if (node === undefined) return undefined
	return condition(node.found?.status, 'Ready')?.status ?? ''
}

/** Returns when the leading controller last renewed its Lease; empty if there is no leader, undefined if the user may not read it. */
export async function readRenewed({ cluster, signal }: Reading): Promise<string | undefined> {
	const at = { namespace: cluster.namespace, name: CONTROLLER_LEASE }
	const lease = await unlessForbidden(cluster.client.find(Lease, at, { signal }))
	if (lease === undefined) return undefined
	return lease.found?.spec?.holderIdentity ? (lease.found.spec.renewTime ?? '') : ''
}

/** Warns if no controller is running: every status may then be outdated, and requests are not carried out. */
export async function warnIfLeaderless(session: Session): Promise<void> {
	const { namespace } = session.cluster
	const words = leaderlessWords({ renewed: await readRenewed(session), namespace, now: session.io.now() })
	if (words !== '') session.warn(`warning: ${words}`)
}

/** Returns the Events about the node config, newest first. */
export async function readEvents({ cluster, signal }: Reading, name: string): Promise<Event[]> {
	const fieldSelector = `involvedObject.kind=MultiNicNodeConfig,involvedObject.name=${name}`
	const page = await unlessForbidden(cluster.client.list(Event, { namespace: cluster.namespace, fieldSelector, signal }))
	return (page?.found.items ?? []).sort((a, b) => timeOf(b) - timeOf(a))
}

function timeOf({ lastTimestamp, eventTime, metadata }: Event): number {
	return Date.parse(lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? '') || 0
}
