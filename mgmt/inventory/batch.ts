import { applyPortGone, applyRemoved, applyReported, applySent } from './apply.ts'
import { type Applied, rowOfDraft, type Stored, type Unnumbered } from './drafts.ts'
import type { Change } from './inventory.ts'
import { nameOfKey } from './load.ts'
import type { Actor, NodeKey } from './records.ts'
import type { NicRow, SubnetRow } from './schema.ts'

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
function portsOf(change: OfNode): { providerId: string; portId: string }[] {
	const { providerId } = change
	if (change.kind === 'portGone') return [{ providerId, portId: change.portId }]
	if (change.kind === 'removed') return []
	const { interfaces } = change.kind === 'sent' ? change : change.view
	return interfaces.flatMap(({ portId }) => (portId === undefined ? [] : [{ providerId, portId }]))
}

/** Returns the ports of a change that its own node does not have. */
export function unheld(change: OfNode, rows: readonly NicRow[]): { providerId: string; portId: string }[] {
	return portsOf(change).filter(({ portId }) => !rows.some(({ port }) => port === portId))
}

/**
 * Applies changes in their order.
 *
 * @param before everything that is stored about the nodes that the changes concern
 * @returns what is stored afterwards about the nodes that differ, and the rows for table `change`
 */
export function applyAll(before: ReadonlyMap<string, Stored>, changes: readonly OfNode[], hash: (text: string) => string) {
	const applying = new Applying(before)
	for (const change of changes) {
		const key = keyOf(change)
		const own = key && nameOfKey(key)
		for (const [holder, portId] of applying.elsewhere(change, own))
			applying.store(holder, applyPortMoved(applying.about(holder), portId, change), change)
		if (own !== undefined) applying.store(own, applyOne(applying.about(own), change, hash), change)
	}
	return { different: applying.different(), changeRows: applying.changeRows }
}

/** What is stored while changes are applied to it. */
class Applying {
	readonly #before: ReadonlyMap<string, Stored>
	readonly #after: Map<string, Stored>
	readonly #changedAt = new Map<string, number>()
	readonly changeRows: Unnumbered[] = []

	constructor(before: ReadonlyMap<string, Stored>) {
		this.#before = before
		this.#after = new Map(before)
	}

	about(name: string): Stored {
		return this.#after.get(name) ?? { node: undefined, nics: [] }
	}

	/** Returns the ports of the change that other nodes have. No two nodes of a provider have the same port. */
	elsewhere(change: OfNode, own: string | undefined): [holder: string, portId: string][] {
		const rows = own === undefined ? [] : this.about(own).nics
		return unheld(change, rows).flatMap(({ providerId, portId }): [string, string][] => {
			const has = ({ nics }: Stored) => nics.some(({ port, provider_id }) => port === portId && provider_id === providerId)
			const holder = [...this.#after].find(([, stored]) => has(stored))
			return holder ? [[holder[0], portId]] : []
		})
	}

	store(name: string, { node, nics, drafts }: Applied, change: OfNode): void {
		const now = this.about(name)
		if (node !== now.node || nics !== now.nics) this.#changedAt.set(name, change.at)
		this.#after.set(name, { node, nics })
		const [providerId = '', nodeName = ''] = name.split(' ')
		const of = { providerId, nodeName, at: change.at, actor: causeOf(change) }
		this.changeRows.push(...drafts.map(draft => rowOfDraft(draft, of)))
	}

	different(): Map<string, Stored> {
		const changed = [...this.#after].filter(([name, { node, nics }]) => {
			const before = this.#before.get(name)
			return node !== before?.node || nics !== before?.nics
		})
		return new Map(
			changed.map(([name, { node, nics }]) => {
				return [name, { node: node && { ...node, changed_at: this.#changedAt.get(name) ?? node.changed_at }, nics }]
			}),
		)
	}
}

function applyOne(stored: Stored, change: OfNode, hash: (text: string) => string): Applied {
	if (change.kind === 'sent') return applySent(stored, change, hash)
	if (change.kind === 'reported') return applyReported(stored, change, hash)
	return applyRemoved(stored, change.at)
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
