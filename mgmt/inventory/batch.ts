import { applyPortGone, applyRemoved, applyReported, applySent } from './apply.ts'
import { type Applied, rowOfDraft, type Stored, type Unnumbered } from './drafts.ts'
import type { Change } from './inventory.ts'
import { nameOfKey } from './load.ts'
import type { Actor, NodeKey } from './records.ts'
import type { SubnetRow } from './schema.ts'

/** The most nodes that one transaction covers. */
export const NODES_PER_TRANSACTION = 50

type OfNode = Exclude<Change, { kind: 'subnet' }>

/** Splits changes into parts of at most 50 nodes, in the same order. */
export function partsOf(changes: readonly Change[]): Change[][] {
	const parts: Change[][] = []
	let nodes = new Set<string>()
	for (const change of changes) {
		const about = aboutWhat(change)
		if (parts.length === 0 || (!nodes.has(about) && nodes.size === NODES_PER_TRANSACTION)) {
			parts.push([])
			nodes = new Set()
		}
		nodes.add(about)
		parts.at(-1)?.push(change)
	}
	return parts
}

function aboutWhat(change: Change): string {
	if (change.kind === 'subnet') return `subnet ${change.subnetId}`
	const key = keyOf(change)
	return key ? nameOfKey(key) : `port ${change.kind === 'portGone' ? `${change.providerId} ${change.portId}` : ''}`
}

/** Returns the node that a change names; undefined if it names only a port. */
export function keyOf(change: OfNode): NodeKey | undefined {
	if (change.kind === 'portGone') return undefined
	return { providerId: change.providerId, nodeName: change.kind === 'reported' ? change.view.nodeName : change.nodeName }
}

/** Returns the ports that a change names. Another node may have them. */
export function portsOf(change: OfNode): { providerId: string; portId: string }[] {
	const { providerId } = change
	if (change.kind === 'portGone') return [{ providerId, portId: change.portId }]
	if (change.kind === 'removed') return []
	const { interfaces } = change.kind === 'sent' ? change : change.view
	return interfaces.flatMap(({ portId }) => (portId === undefined ? [] : [{ providerId, portId }]))
}

/**
 * Applies changes in their order.
 *
 * @param before everything that is stored about the nodes that the changes concern
 * @returns what is stored afterwards about the nodes that differ, and the rows for table `change`
 */
export function applyAll(before: ReadonlyMap<string, Stored>, changes: readonly OfNode[], hash: (text: string) => string) {
	const after = new Map(before)
	const changeRows: Unnumbered[] = []
	const times = new Map<string, number>()
	const store = (name: string, applied: Applied, change: OfNode) => {
		const now = after.get(name)
		if (applied.node !== now?.node || applied.nics !== now?.nics) times.set(name, change.at)
		after.set(name, { node: applied.node, nics: applied.nics })
		const [providerId = '', nodeName = ''] = name.split(' ')
		changeRows.push(...applied.drafts.map(draft => rowOfDraft(draft, { providerId, nodeName, at: change.at, actor: causeOf(change) })))
	}
	for (const change of changes) {
		for (const [name, stored, portId] of elsewhere(after, change)) store(name, applyPortMoved(stored, portId, change), change)
		const key = keyOf(change)
		if (key) store(nameOfKey(key), applyOne(after.get(nameOfKey(key)) ?? { node: undefined, nics: [] }, change, hash), change)
	}
	const different = [...after].filter(([name, { node, nics }]) => node !== before.get(name)?.node || nics !== before.get(name)?.nics)
	const stored = different.map(([name, { node, nics }]) => {
		return [name, { node: node && { ...node, changed_at: times.get(name) ?? node.changed_at }, nics }] as const
	})
	return { different: new Map<string, Stored>(stored), changeRows }
}

function applyOne(stored: Stored, change: OfNode, hash: (text: string) => string): Applied {
	if (change.kind === 'sent') return applySent(stored, change, hash)
	if (change.kind === 'reported') return applyReported(stored, change, hash)
	return applyRemoved(stored, change.at)
}

/** Finds the rows of ports that the change takes away from other nodes. */
function elsewhere(stored: ReadonlyMap<string, Stored>, change: OfNode): [name: string, Stored, portId: string][] {
	const key = keyOf(change)
	const own = key && nameOfKey(key)
	const named = new Set(portsOf(change).map(({ portId }) => portId))
	return [...stored].flatMap(([name, one]) => {
		if (name === own || !name.startsWith(`${change.providerId} `)) return []
		return one.nics.flatMap(({ port }): [string, Stored, string][] => (port !== null && named.has(port) ? [[name, one, port]] : []))
	})
}

function applyPortMoved(stored: Stored, portId: string, change: OfNode): Applied {
	const gone = applyPortGone(stored, portId)
	if (change.kind === 'portGone') return gone
	const to = keyOf(change)?.nodeName
	return { ...gone, drafts: gone.drafts.map(draft => ({ ...draft, kind: 'NicRemoved', message: `the port moved to node ${to}` })) }
}

function causeOf(change: OfNode): Actor {
	return 'actor' in change ? change.actor : { kind: 'mgmt', name: 'multinic-mgmt' }
}

/** Returns the row of a subnet after a change, or undefined if nothing differs. */
export function subnetAfter(
	row: SubnetRow | undefined,
	{ subnetId, subnet, at }: Extract<Change, { kind: 'subnet' }>,
): SubnetRow | undefined {
	if (!subnet) return row && row.deleted_at === null ? { ...row, deleted_at: at } : undefined
	const facts = { name: subnet.name, cidr: subnet.cidr, network: subnet.networkId, network_name: subnet.networkName ?? null }
	const next = { ...facts, mtu: subnet.mtu ?? null, deleted_at: null }
	const isSame = row && Object.entries(next).every(([column, value]) => row[column as keyof SubnetRow] === value)
	return isSame ? undefined : { id: subnetId, created_at: row?.created_at ?? at, ...next, modified_at: at }
}
