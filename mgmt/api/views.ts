import { interfaceName } from '../../contract/names.ts'
import type { ChangeEntry, Hit, InventoryNode, Nic, PortPath, PortReport } from '../../contract/inventory-api.ts'
import { type PortStep, portSteps, stepMeanings } from '../../contract/port-steps.ts'
import type { ChangeRecord, Hit as FoundHit, NicRecord, NodeRecord } from '../inventory/inventory.ts'

/** Turns records of the inventory into the responses of the API. Pure. */

export function nodeView({ createdAt, changedAt, sentAt, removedAt, nics, ...node }: NodeRecord): InventoryNode {
	return {
		...node,
		createdAt: timeOf(createdAt),
		changedAt: timeOf(changedAt),
		...(sentAt !== undefined && { sentAt: timeOf(sentAt) }),
		...(removedAt !== undefined && { removedAt: timeOf(removedAt) }),
		nics: nics.map(nicView),
	}
}

export function nicView({ subnet, seenAt, sentAt, startedAt, settledAt, ...nic }: NicRecord): Nic {
	return {
		...nic,
		name: interfaceName(nic.id),
		...(subnet && { subnet }),
		seenAt: timeOf(seenAt),
		...(sentAt !== undefined && { sentAt: timeOf(sentAt) }),
		...(startedAt !== undefined && { startedAt: timeOf(startedAt) }),
		...(settledAt !== undefined && { settledAt: timeOf(settledAt) }),
	}
}

export function changeView({ at, difference, ...change }: ChangeRecord): ChangeEntry {
	const fields = Object.entries(difference).map(([field, values]): [string, unknown[]] => [field, [...values]])
	return { ...change, at: timeOf(at), difference: Object.fromEntries(fields) }
}

export function hitView(hit: FoundHit): Hit {
	const { matched } = hit
	if (hit.kind === 'nic') {
		const { providerId, nodeName } = hit.nic
		return { kind: 'nic', providerId, nodeName, nic: nicView(hit.nic), matched }
	}
	const { node, instanceId } = hit
	return { kind: 'node', ...node, ...(instanceId !== undefined && { instanceId }), matched }
}

export function portView(portId: string, { nics, changes }: { nics: NicRecord[]; changes: ChangeRecord[] }): PortReport {
	return { portId, paths: nics.map(pathOf), changes: changes.map(changeView) }
}

/** Returns the steps of a port, and the last one that it has reached. A new run on the node returns a settled NIC to `Started`. */
function pathOf(nic: NicRecord): PortPath {
	const times: Readonly<Record<PortStep, number | undefined>> = {
		Seen: nic.seenAt,
		Sent: nic.sentAt,
		Started: nic.startedAt,
		Settled: isRunning(nic) ? undefined : nic.settledAt,
	}
	const step = portSteps.findLast(one => times[one] !== undefined) ?? 'Seen'
	return {
		nic: nicView(nic),
		step,
		since: timeOf(times[step] ?? nic.seenAt),
		reason: nic.reason,
		message: nic.message || stepMeanings[step],
		steps: portSteps.map(one => ({ step: one, meaning: stepMeanings[one], ...atOf(times[one]) })),
	}
}

function isRunning({ startedAt, settledAt }: NicRecord): boolean {
	return startedAt !== undefined && settledAt !== undefined && startedAt > settledAt
}

function atOf(ms: number | undefined): { at?: string } {
	return ms === undefined ? {} : { at: timeOf(ms) }
}

/** @returns a time as RFC 3339 */
export function timeOf(ms: number): string {
	return new Date(ms).toISOString()
}
