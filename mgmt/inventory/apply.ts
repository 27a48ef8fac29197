import { canonicalText } from '../../contract/canonical.ts'
import type { Interface } from '../../contract/interface.ts'
import type { NodeConfigView, Owner } from '../../contract/viola-api.ts'
import { differenceOf, wordsOfDifference } from './difference.ts'
import type { Applied, Draft, Stored } from './drafts.ts'
import type { Change } from './inventory.ts'
import { areInForce, notInForce, rowsFor } from './nics.ts'
import { actorOf, lettersOf, withReport } from './report.ts'
import { hasInterfaces, interfacesOf, ownerOf } from './stored.ts'
import type { Actor, NodeKey } from './records.ts'
import type { NicRow, NodeRow } from './schema.ts'

/** Changes applied to what is stored about one node. All of it is pure; `hash` is sha256 in hexadecimal. */

type Hash = (text: string) => string
type Of<Kind extends Change['kind']> = Extract<Change, { kind: Kind }>

/** Applies a node config that viola accepted. */
export function applySent(stored: Stored, change: Of<'sent'>, hash: Hash): Applied {
	const owner = change.owner ?? ownerOf(stored.node)
	const instanceId = change.instanceId ?? stored.node?.instance_id ?? undefined
	const spec = { ...change, owner, instanceId, isSent: true, seenAt: change.seenAt ?? new Map<string, number>() }
	const applied = withSpec(stored, spec, hash)
	const { node } = applied
	const isNews = applied.drafts.length > 0 || applied.nics !== stored.nics
	return isNews || node.sent_at === null ? { ...applied, node: { ...node, sent_at: change.at } } : applied
}

/** Applies a node config that the biz cluster has, with what its controller reports. */
export function applyReported(stored: Stored, { at, providerId, view }: Of<'reported'>, hash: Hash): Applied {
	const { nodeName, instanceId, owner, interfaces } = view
	const spec = { providerId, nodeName, at, instanceId, owner, interfaces, isSent: false, seenAt: new Map<string, number>() }
	const applied = withSpec(stored, spec, hash)
	const reported = withReport(applied, view, at)
	return { ...reported, drafts: [...applied.drafts.map(draft => ({ ...draft, actor: editorOf(view) })), ...reported.drafts] }
}

/** Applies that the biz cluster has no such node config any more. The rows keep the ids for the ports. */
export function applyRemoved(stored: Stored, at: number): Applied {
	const { node, nics } = stored
	if (!node || node.removed_at !== null) return { ...stored, drafts: [] }
	const removed = { ...node, removed_at: at, state: 'Removed', reason: '', report: null, letters: '' }
	return { node: removed, nics: nics.map(notInForce), drafts: [{ kind: 'NodeRemoved', message: `it had ${nics.length} NICs` }] }
}

/** Applies that OpenStack has no such port any more. */
export function applyPortGone({ node, nics }: Stored, portId: string): Applied {
	const gone = nics.find(({ port }) => port === portId)
	if (!gone) return { node, nics, drafts: [] }
	return { node, nics: nics.filter(nic => nic !== gone), drafts: [{ kind: 'PortGone', nic: gone.id, port: portId, message: gone.mac }] }
}

type Spec = NodeKey & {
	at: number
	instanceId: string | undefined
	owner: Owner | undefined
	interfaces: readonly Interface[]
	isSent: boolean
	seenAt: ReadonlyMap<string, number>
}

function withSpec(stored: Stored, spec: Spec, hash: Hash): Applied & { node: NodeRow } {
	const config = configOf(spec.interfaces)
	const { node } = stored
	return node && isAsStored(node, stored.nics, spec, config)
		? { node, nics: stored.nics, drafts: [] }
		: withOtherSpec(stored, spec, config, hash)
}

function withOtherSpec({ node: before, nics: oldRows }: Stored, spec: Spec, config: string, hash: Hash): Applied & { node: NodeRow } {
	const isNew = before === undefined || before.removed_at !== null
	const own = { ...ownerColumns(spec.owner), instance_id: spec.instanceId ?? null, hash: hash(canonicalText(spec.interfaces)) }
	const { rows, drafts } = rowsFor(spec, oldRows, { ...spec, old: isNew ? [] : interfacesOf(before) })
	const nics = isEachSame(rows, oldRows) ? oldRows : rows
	const difference = isNew ? {} : differenceOf(identityOf(before), identityOf(own))
	const isOtherConfig = isNew || before.hash !== own.hash
	if (!isOtherConfig && Object.keys(difference).length === 0 && hasInterfaces(before)) return { node: before, nics, drafts }
	const base = before ?? emptyNode(spec)
	const node = {
		...base,
		...own,
		config: isOtherConfig || hasInterfaces(base) ? base.config : config,
		removed_at: null,
		...(isOtherConfig && { config, ...waiting(rows, spec.interfaces) }),
	}
	return { node, nics, drafts: [...nodeDrafts(isNew, difference, spec.interfaces.length), ...drafts] }
}

function nodeDrafts(isNew: boolean, difference: Draft['difference'] & {}, count: number): Draft[] {
	if (isNew) return [{ kind: 'NodeAdded', message: `${count} interfaces` }]
	return Object.keys(difference).length > 0 ? [{ kind: 'NodeChanged', difference, message: wordsOfDifference(difference) }] : []
}

function waiting(rows: readonly NicRow[], interfaces: readonly Interface[]) {
	return { state: 'Pending', reason: '', letters: lettersOf(rows, interfaces) }
}

function emptyNode({ providerId, nodeName, at }: Spec): NodeRow {
	const times = { created_at: at, changed_at: at, sent_at: null, removed_at: null }
	const empty = { report: null, config: '[]', hash: '', letters: '', state: 'Pending', reason: '', revision: 0 }
	return { provider_id: providerId, name: nodeName, instance_id: null, ...ownerColumns(undefined), ...empty, ...times }
}

/** Returns the interfaces as they are stored: as they were given, with their ids, because the position may be what gave the id. */
function configOf(interfaces: readonly Interface[]): string {
	return JSON.stringify(interfaces.map((nic, position) => ({ ...nic, id: nic.id ?? position })))
}

/** Returns whether nothing differs, without computing a hash: most reports repeat the spec that is stored. */
function isAsStored(node: NodeRow, rows: readonly NicRow[], spec: Spec, config: string): boolean {
	const isSameNode = node.removed_at === null && node.config === config && node.instance_id === (spec.instanceId ?? null)
	return isSameNode && isSameOwner(node, spec.owner) && areInForce(rows, spec)
}

function isSameOwner(node: NodeRow, owner: Owner | undefined): boolean {
	const { owner_namespace, owner_name, owner_uid } = ownerColumns(owner)
	return node.owner_uid === owner_uid && node.owner_name === owner_name && node.owner_namespace === owner_namespace
}

function ownerColumns(owner: Owner | undefined) {
	return { owner_namespace: owner?.namespace ?? null, owner_name: owner?.name ?? null, owner_uid: owner?.uid ?? null }
}

function identityOf(node: Pick<NodeRow, 'instance_id' | 'owner_namespace' | 'owner_name' | 'owner_uid'>) {
	const { instance_id: instanceId, owner_namespace, owner_name, owner_uid } = node
	const owner = owner_name === null ? null : `${owner_namespace}/${owner_name} (${owner_uid})`
	return { instanceId, owner }
}

function isEachSame(a: readonly NicRow[], b: readonly NicRow[]): boolean {
	return a.length === b.length && a.every((row, at) => row === b[at])
}

/** Returns who last wrote the spec: if viola did, the OpenstackConfig for which it did. */
function editorOf(view: NodeConfigView): Actor {
	const { lastManager = '', owner } = view
	if (owner && (lastManager === '' || lastManager.startsWith('multinic-viola')))
		return { kind: 'OpenstackConfig', name: `${owner.namespace}/${owner.name}` }
	return lastManager === '' ? actorOf(view) : { kind: 'manager', name: lastManager }
}
