import { isDeepStrictEqual } from 'node:util'
import { keyOf, type Name } from '../../../runtime/kube/kind.ts'
import { applied, ownersAfter } from './apply.ts'
import { type Collection, Entry, type Owners } from './collection.ts'
import { isDone, markedForDeletion } from './deletion.ts'
import { type ApiObject, mergePatch } from './object.ts'
import { forCreate, forUpdate, type Strict } from './prepare.ts'
import { alreadyExists, conflict, invalid, notFound, staleDeletion, terminating } from './refusal.ts'
import type { Store } from './store.ts'

export type WriteOptions = {
	subresource?: string | undefined
	dryRun?: boolean
	/** How to reject unknown fields. By default they are dropped. */
	strict?: Strict
	/** The field manager, which only apply uses. */
	fieldManager?: string
	force?: boolean
}

export type Preconditions = { uid?: string; resourceVersion?: string }

/** The options in the body of a DELETE. */
export type DeleteOptions = {
	preconditions?: Preconditions
	propagationPolicy?: string
	gracePeriodSeconds?: number
	dryRun?: readonly string[]
}

/** Writes objects. Each write is completed immediately or rejected, never partly done. */
export type Writer = {
	create(at: Collection, object: ApiObject, namespace: string | undefined, options?: WriteOptions): Entry
	update(at: Collection, name: Name, object: ApiObject, options?: WriteOptions): Entry
	patch(at: Collection, name: Name, patch: unknown, options?: WriteOptions): Entry
	apply(at: Collection, name: Name, object: ApiObject, options?: WriteOptions): Entry
	/** @returns the object marked for deletion, or its last state if it was removed */
	delete(at: Collection, name: Name, options?: DeleteOptions): Entry
}

/** Called after each write. */
export type OnWritten = (at: Collection, now: Entry | undefined, before: Entry | undefined) => void

type Deed = { store: Store; now: () => number; onWritten: OnWritten; at: Collection; options: WriteOptions }

/**
 * Creates a writer that follows the rules of kube-apiserver.
 *
 * @param now returns milliseconds since 1970, for `creationTimestamp` and `deletionTimestamp`
 */
export function createWriter(store: Store, now: () => number, onWritten: OnWritten): Writer {
	const deed = (at: Collection, options: WriteOptions): Deed => ({ store, now, onWritten, at, options })
	return {
		create: (at, object, namespace, options = {}) => create(deed(at, options), object, namespace),
		update: (at, name, object, options = {}) => {
			const before = mustFind(at, name)
			mustBeMeant(at, before, { uid: object.metadata.uid ?? '' })
			const { needsVersion = !at.kind.builtIn } = at.kind
			if (!object.metadata.resourceVersion && needsVersion) throw invalid(asResource(at), name.name, [versionMissing])
			return change(deed(at, options), before, object)
		},
		patch: (at, name, patch, options = {}) => {
			const before = mustFind(at, name)
			return change(deed(at, options), before, mergePatch(before.object, patch) as ApiObject)
		},
		apply: (at, name, object, options = {}) => apply(deed(at, options), name, object),
		delete: (at, name, options = {}) => {
			const before = mustFind(at, name)
			mustBeDeletable(at, before, options.preconditions ?? {})
			const dryRun = (options.dryRun ?? []).length > 0
			const marked = markedForDeletion(at.kind, before.object, options, now())
			if (marked === before.object) return before
			if (marked) return put(deed(at, { dryRun }), marked, before, before.owners)
			remove(deed(at, { dryRun }), before)
			return before
		},
	}
}

/** The message of this error names the resource, where all similar errors name the kind. */
function asResource({ kind: { plural, group } }: Collection) {
	return { kind: plural, group }
}

const versionMissing = { field: 'metadata.resourceVersion', message: 'Invalid value: 0: must be specified for an update' }

function create(deed: Deed, object: ApiObject, namespace: string | undefined): Entry {
	const { at, options, now } = deed
	const ready = forCreate(at.kind, object, { namespace, strict: options.strict, now: now() })
	mustHaveNamespace(deed, ready)
	const found = at.get(keyOf(ready.metadata))
	if (found) throw alreadyExists(at.kind, ready.metadata.name, found.object.metadata.deletionTimestamp !== undefined)
	return put(deed, ready, undefined)
}

function change(deed: Deed, before: Entry, wanted: ApiObject, owners?: Owners): Entry {
	const { at, options } = deed
	mustBeMeant(at, before, { resourceVersion: wanted.metadata.resourceVersion ?? '' })
	const { subresource, strict } = options
	const ready = forUpdate(at.kind, wanted, before.object, { subresource, strict })
	if (isDeepStrictEqual(ready, before.object)) {
		if (owners && !options.dryRun) before.owners = owners
		return before
	}
	if (!isDone(ready)) return put(deed, ready, before, owners ?? ownersAfter(before, ready))
	remove(deed, before)
	return new Entry(before.version, ready)
}

function apply(deed: Deed, name: Name, object: ApiObject): Entry {
	const { at, options } = deed
	const before = at.get(keyOf(name))
	const { fieldManager = 'unknown', force = false, subresource = '' } = options
	if (!before && subresource) throw notFound(at.kind, name.name)
	const { uid } = object.metadata
	const why = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`
	if (!before && uid) throw conflict(at.kind, name.name, why)
	const { object: wanted, owners } = applied(before, object, { manager: `${fieldManager}/${subresource}`, force })
	if (before) return change(deed, before, wanted, owners)
	const created = create(deed, wanted, name.namespace)
	created.owners = owners
	return created
}

function put({ store, at, options, onWritten }: Deed, object: ApiObject, before: Entry | undefined, owners?: Owners): Entry {
	if (options.dryRun) return new Entry(before?.version ?? 0, object)
	const entry = new Entry(store.nextVersion(), object, owners)
	at.set(entry)
	onWritten(at, entry, before)
	return entry
}

function remove({ store, at, options, onWritten }: Deed, before: Entry): void {
	if (options.dryRun) return
	at.remove(before.key, store.nextVersion())
	onWritten(at, undefined, before)
}

function mustFind(at: Collection, name: Name): Entry {
	const found = at.get(keyOf(name))
	if (!found) throw notFound(at.kind, name.name)
	return found
}

/** Checks the preconditions of an update. An empty string requires nothing. */
function mustBeMeant({ kind }: Collection, { object: { metadata } }: Entry, { uid, resourceVersion }: Preconditions): void {
	if (uid && uid !== metadata.uid)
		throw conflict(
			kind,
			metadata.name,
			`StorageError: invalid object, Code: 4, Precondition failed: UID in precondition: ${uid}, UID in object meta: ${metadata.uid}`,
		)
	if (resourceVersion && resourceVersion !== metadata.resourceVersion) throw conflict(kind, metadata.name)
}

/** Checks the preconditions of a deletion, which have other messages. */
function mustBeDeletable({ kind }: Collection, { object: { metadata } }: Entry, { uid, resourceVersion }: Preconditions): void {
	const differs = (what: string, wanted: string, found = '') =>
		`the ${what} in the precondition (${wanted}) does not match the ${what} in record (${found})`
	if (uid && uid !== metadata.uid) {
		const why = `${differs('UID', uid, metadata.uid)}. The object might have been deleted and then recreated`
		throw staleDeletion(kind, metadata.name, why)
	}
	if (resourceVersion && resourceVersion !== metadata.resourceVersion) {
		const why = `${differs('ResourceVersion', resourceVersion, metadata.resourceVersion)}. The object might have been modified`
		throw staleDeletion(kind, metadata.name, why)
	}
}

function mustHaveNamespace({ store, at }: Deed, { metadata: { name, namespace } }: ApiObject): void {
	if (namespace === undefined) return
	const namespaces = store.collection({ group: '', plural: 'namespaces' })
	const found = namespaces.get(namespace)
	if (!found) throw notFound(namespaces.kind, namespace)
	if (found.object.metadata.deletionTimestamp) throw terminating(at.kind, name, namespace)
}
