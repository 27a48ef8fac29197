import type { Interface } from '../../contract/interface.ts'
import type { InterfaceStatus, NodeConfigStatus } from '../../contract/node-config.ts'
import type { NodeConfigView } from '../../contract/viola-api.ts'
import { type Applied, cut, type Draft } from './drafts.ts'
import type { Actor } from './records.ts'
import type { NicRow, NodeRow } from './schema.ts'

/** Applies what the controller of the biz cluster reports. A status of an older generation says nothing about this one. */
export function withReport(applied: Applied & { node: NodeRow }, view: NodeConfigView, at: number): Applied {
	const status = view.status?.observedGeneration === view.generation ? view.status : undefined
	const byId = new Map(status?.interfaceStatuses?.map(own => [own.id, own]))
	const nics = applied.nics.map(nic => nicAfter(nic, byId.get(nic.id), view, at))
	const own = { ...stateOf(view, status), report: JSON.stringify(reportOf(view)), letters: lettersOf(nics, view.interfaces) }
	const { node } = applied
	const isSame = node.report === own.report && node.state === own.state && node.reason === own.reason && node.letters === own.letters
	const rows = nics.every((nic, i) => nic === applied.nics[i]) ? applied.nics : nics
	const drafts = [...stateDrafts(node, own, view), ...nicDrafts(applied.nics, nics, actorOf(view))]
	return { node: isSame ? node : { ...node, ...own }, nics: rows, drafts }
}

/** Returns who reported: the last run of the node, or mgmt where there was none. */
export function actorOf({ status }: NodeConfigView): Actor {
	return status?.lastJobName === undefined ? { kind: 'mgmt', name: 'multinic-mgmt' } : { kind: 'run', name: status.lastJobName }
}

const letters: Readonly<Record<string, string>> = { Pending: 'P', InProgress: 'I', Configured: 'C', Failed: 'F' }

/** Returns one letter per interface, by id. */
export function lettersOf(rows: readonly NicRow[], interfaces: readonly Interface[]): string {
	const ids = interfaces.map(({ id }, position) => id ?? position).toSorted((a, b) => a - b)
	return ids.map(id => letters[rows.find(row => row.id === id)?.state ?? ''] ?? 'P').join('')
}

/** The part of a view that has no separate column. */
function reportOf({ deleting, generation, resourceVersion, lastManager, status }: NodeConfigView) {
	return { deleting, generation, resourceVersion, lastManager, status }
}

function stateOf({ deleting }: NodeConfigView, status: NodeConfigStatus | undefined): { state: string; reason: string } {
	if (deleting) return { state: 'Removing', reason: '' }
	const ready = status?.conditions?.find(({ type }) => type === 'Ready')
	return { state: status?.state ?? 'Pending', reason: cut(ready?.reason ?? '', 64) }
}

function nicAfter(nic: NicRow, own: InterfaceStatus | undefined, view: NodeConfigView, at: number): NicRow {
	if (!own || (own.macAddress !== nic.mac && own.macAddress.toLowerCase() !== nic.mac)) return nic
	const { status: state, reason, message } = own
	if (nic.state === state && nic.reason === reason && nic.message === message) return nic
	return { ...nic, state, reason, message, ...timesAfter(nic, own, view, at) }
}

function timesAfter(nic: NicRow, own: InterfaceStatus, { generation, status }: NodeConfigView, at: number) {
	if (own.status === 'Pending') return { started_at: null, settled_at: null }
	const run = status?.history?.find(entry => entry.generation === generation)
	const started_at = nic.started_at ?? timeOf(run?.started) ?? at
	if (own.status === 'InProgress') return { started_at: nic.settled_at === null ? started_at : at, settled_at: null }
	if (own.status === nic.state) return {}
	return { started_at, settled_at: (own.status === 'Configured' ? timeOf(own.lastConfigured) : undefined) ?? at }
}

function timeOf(text: string | undefined): number | undefined {
	const time = Date.parse(text ?? '')
	return Number.isNaN(time) ? undefined : time
}

function stateDrafts(before: NodeRow, { state, reason }: Pick<NodeRow, 'state' | 'reason'>, view: NodeConfigView): Draft[] {
	if (before.state === state && (state !== 'Failed' || before.reason === reason)) return []
	const message = view.status?.conditions?.find(({ type }) => type === 'Ready')?.message ?? ''
	return [{ kind: 'StateChanged', reason, message, difference: { state: [before.state, state] }, actor: actorOf(view) }]
}

/** A NIC that is configured as the whole node is costs no separate row. */
function nicDrafts(before: readonly NicRow[], after: readonly NicRow[], actor: Actor): Draft[] {
	return after.flatMap(({ id, port, state, reason, message }, i): Draft[] => {
		const was = before[i]
		const difference = { state: [was?.state ?? null, state] as const }
		if (state === 'Failed' && (was?.state !== 'Failed' || was.reason !== reason))
			return [{ kind: 'NicFailed', nic: id, port, reason, message, difference, actor }]
		if (state === 'Configured' && was?.state === 'Failed')
			return [{ kind: 'NicRecovered', nic: id, port, reason, message, difference, actor }]
		return []
	})
}
