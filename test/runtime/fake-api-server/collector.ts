import { nameOf } from '../../../runtime/kube/kind.ts'
import type { Collection, Entry } from './collection.ts'
import { FOREGROUND, ORPHAN } from './deletion.ts'
import type { ApiObject } from './object.ts'
import { Refusal } from './refusal.ts'
import type { Store } from './store.ts'
import type { OnWritten, Writer } from './write.ts'

/** Implements the garbage collector and the namespace controller of kube-controller-manager. It runs soon after a write, not during it. */
export type Collector = {
	/** Must be called after every write. */
	onWritten: OnWritten
	stop(): void
}

type Place = { at: Collection; key: string }

type State = {
	store: Store
	/** A function, because the collector must exist before the writer, which calls it. */
	writer: () => Writer
	/** By uid of the owner, then by place. */
	dependents: Map<string, Map<string, Place>>
	/** By uid. */
	living: Map<string, Place>
	due: Map<string, Place>
	timer: NodeJS.Immediate | undefined
}

export function createCollector(store: Store, writer: () => Writer): Collector {
	const state: State = { store, writer, dependents: new Map(), living: new Map(), due: new Map(), timer: undefined }
	return {
		onWritten: (at, now, before) => {
			const entry = now ?? before
			if (!entry) return
			const place = { at, key: entry.key }
			index(state, place, now, before)
			for (const one of concerned(state, place, now, entry)) look(state, one)
		},
		stop: () => clearImmediate(state.timer),
	}
}

function index({ dependents, living }: State, place: Place, now: Entry | undefined, before: Entry | undefined): void {
	const id = idOf(place)
	for (const uid of ownersOf(before)) dependents.get(uid)?.delete(id)
	for (const uid of ownersOf(now)) {
		const own = dependents.get(uid) ?? new Map<string, Place>()
		dependents.set(uid, own.set(id, place))
	}
	if (now) living.set(now.object.metadata.uid ?? '', place)
	else living.delete(before?.object.metadata.uid ?? '')
}

/** Returns the objects that a write may have made eligible for collection. */
function concerned({ store, dependents, living }: State, place: Place, now: Entry | undefined, { object }: Entry): Place[] {
	const { uid = '', namespace, deletionTimestamp } = object.metadata
	const owners = ownersOf(now)
	if (now) return deletionTimestamp || owners.some(owner => !living.has(owner)) ? [place] : []
	const namespaces = store.collection({ group: '', plural: 'namespaces' })
	const above = (object.metadata.ownerReferences ?? []).flatMap(owner => living.get(owner.uid) ?? [])
	const around = namespace !== undefined && namespaces.get(namespace)?.object.metadata.deletionTimestamp
	const own = [...(dependents.get(uid)?.values() ?? [])]
	dependents.delete(uid)
	return [...own, ...above, ...(around ? [{ at: namespaces, key: namespace }] : [])]
}

function look(state: State, place: Place): void {
	state.due.set(idOf(place), place)
	state.timer ??= setImmediate(() => {
		state.timer = undefined
		const due = state.due
		state.due = new Map()
		for (const one of due.values()) attempt(() => tend(state, one))
	})
}

/** Skips a deletion that a rule of the kind forbids. The real garbage collector would retry it. */
function attempt(deed: () => void): void {
	try {
		deed()
	} catch (error) {
		if (!(error instanceof Refusal)) throw error
	}
}

function tend(state: State, { at, key }: Place): void {
	const object = at.get(key)?.object
	if (!object) return
	const { finalizers = [], deletionTimestamp } = object.metadata
	if (deletionTimestamp && at.kind.kind === 'Namespace') emptyNamespace(state, at, object)
	else if (deletionTimestamp && finalizers.includes(ORPHAN)) letGo(state, at, object)
	else if (deletionTimestamp && finalizers.includes(FOREGROUND)) takeAlong(state, at, object)
	else judge(state, at, object)
}

/** Deletes an object if none of its owners exists. If some owners remain, removes only the references to the others. */
function judge({ living, writer }: State, at: Collection, { metadata }: ApiObject): void {
	const owners = metadata.ownerReferences ?? []
	const left = owners.filter(({ uid }) => living.has(uid))
	if (left.length === owners.length) return
	if (left.length > 0) writer().patch(at, metadata, { metadata: { ownerReferences: left } })
	else if (!metadata.deletionTimestamp) writer().delete(at, metadata, { propagationPolicy: 'Background' })
}

function letGo({ dependents, writer }: State, at: Collection, { metadata }: ApiObject): void {
	for (const place of dependents.get(metadata.uid ?? '')?.values() ?? []) {
		const owned = place.at.get(place.key)?.object.metadata
		const ownerReferences = (owned?.ownerReferences ?? []).filter(({ uid }) => uid !== metadata.uid)
		writer().patch(place.at, nameOf(place.key), { metadata: { ownerReferences } })
	}
	release(writer(), at, metadata, ORPHAN)
}

function takeAlong({ dependents, writer }: State, at: Collection, { metadata }: ApiObject): void {
	const own = [...(dependents.get(metadata.uid ?? '')?.values() ?? [])]
	for (const { at: where, key } of own) {
		const isGoing = where.get(key)?.object.metadata.deletionTimestamp !== undefined
		if (!isGoing) writer().delete(where, nameOf(key), { propagationPolicy: 'Background' })
	}
	if (own.every(({ at: where, key }) => !where.get(key))) release(writer(), at, metadata, FOREGROUND)
}

function release(writer: Writer, at: Collection, metadata: ApiObject['metadata'], finalizer: string): void {
	const finalizers = (metadata.finalizers ?? []).filter(one => one !== finalizer)
	writer.patch(at, metadata, { metadata: { finalizers } })
}

function emptyNamespace({ store, writer }: State, at: Collection, { metadata }: ApiObject): void {
	const inside = [...store.all()].flatMap(other =>
		other
			.sorted()
			.flatMap(({ object, key }) => (object.metadata.namespace === metadata.name ? [{ other, key, name: object.metadata }] : [])),
	)
	for (const { other, name } of inside) if (!name.deletionTimestamp) writer().delete(other, name)
	if (inside.every(({ other, key }) => !other.get(key))) writer().patch(at, metadata, { spec: { finalizers: null } })
}

function ownersOf(entry: Entry | undefined): string[] {
	return (entry?.object.metadata.ownerReferences ?? []).map(({ uid }) => uid)
}

function idOf({ at, key }: Place): string {
	return `${at.kind.group}/${at.kind.plural}/${key}`
}
