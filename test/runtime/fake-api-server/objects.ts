import { type Kind, type KubeObject, keyOf, type Name, type Stored } from '../../../runtime/kube/kind.ts'
import type { Entry } from './collection.ts'
import type { ApiObject } from './object.ts'
import type { Store } from './store.ts'
import type { DeleteOptions, WriteOptions, Writer } from './write.ts'

/**
 * Direct access to the server's objects, by the same rules as over HTTP. Returns the stored object itself, which callers must not change.
 */
export type Objects = {
	get<T extends KubeObject>(kind: Kind<T>, at: Name): Stored<T> | undefined
	/** Returns all objects of a kind, sorted by key; only those of one namespace, if it is given. */
	list<T extends KubeObject>(kind: Kind<T>, namespace?: string): Stored<T>[]
	create<T extends KubeObject>(kind: Kind<T>, object: T): Stored<T>
	/** JSON merge patch. */
	patch<T extends KubeObject>(kind: Kind<T>, at: Name, patch: object, options?: WriteOptions): Stored<T>
	patchStatus<T extends KubeObject>(kind: Kind<T>, at: Name, status: object): Stored<T>
	delete(kind: Kind, at: Name, options?: DeleteOptions): void
}

/** All methods throw Refusal. */
export function objectsOf(store: Store, writer: Writer): Objects {
	const patch: Objects['patch'] = (kind, at, change, options) => typed(writer.patch(store.collection(kind), at, copy(change), options))
	return {
		get: (kind, at) => typed(store.collection(kind).get(keyOf(at))),
		list: (kind, namespace) => {
			const all = store.collection(kind).sorted()
			return all
				.filter(({ object: { metadata } }) => namespace === undefined || metadata.namespace === namespace)
				.map(entry => typed(entry))
		},
		create: (kind, object) => typed(writer.create(store.collection(kind), copy(object as ApiObject), object.metadata.namespace)),
		patch,
		patchStatus: (kind, at, status) => patch(kind, at, { status }, { subresource: 'status' }),
		delete: (kind, at, options) => void writer.delete(store.collection(kind), at, options),
	}
}

function typed<E extends Entry | undefined, T extends KubeObject>(entry: E): E extends Entry ? Stored<T> : Stored<T> | undefined {
	return entry?.object as never
}

/** Copies a value, so that later changes to the caller's object do not reach the store. */
function copy<T>(value: T): T {
	return JSON.parse(JSON.stringify(value))
}
