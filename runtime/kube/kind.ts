import { Failure } from '../errors.ts'
import { isPathSegment } from '../path-segment.ts'
import type { KubeCode } from './failures.ts'

/** The part of an object's metadata that MultiNIC reads or writes. */
export type ObjectMeta = {
	name: string
	namespace?: string
	generateName?: string
	labels?: Record<string, string>
	annotations?: Record<string, string>
	finalizers?: string[]
	ownerReferences?: OwnerReference[]
	uid?: string
	resourceVersion?: string
	generation?: number
	/** RFC 3339, as on the wire. */
	creationTimestamp?: string
	deletionTimestamp?: string
	managedFields?: { manager?: string; operation?: string; subresource?: string; time?: string; fieldsV1?: object }[]
}

export type OwnerReference = {
	apiVersion: string
	kind: string
	name: string
	uid: string
	controller?: boolean
	blockOwnerDeletion?: boolean
}

/** Any object of the Kubernetes API. `apiVersion` and `kind` are optional when writing, because the client adds them. */
export type KubeObject = { apiVersion?: string; kind?: string; metadata: ObjectMeta }

/** An object as the API server returned it. */
export type Stored<T extends KubeObject> = T & {
	apiVersion: string
	kind: string
	metadata: { uid: string; resourceVersion: string; creationTimestamp: string }
}

/** The properties of a kind that the client needs to build paths; `T` is the type of its objects, as JSON. */
export type Kind<T extends KubeObject = KubeObject> = {
	/** Empty for the core group. */
	readonly group: string
	readonly version: string
	readonly plural: string
	readonly kind: string
	readonly namespaced: boolean
	/** Never set; only carries the type `T`. */
	readonly object?: T
}

/** Identifies an object. `namespace` is only set for namespaced kinds. */
export type Name = { name: string; namespace?: string }

/** Defines a kind, with the type of its objects: `defineKind<Widget>({ group: 'example.org', … })`. */
export function defineKind<T extends KubeObject>(kind: Omit<Kind<T>, 'object'>): Kind<T> {
	return Object.freeze(kind)
}

/** Returns `v1` or `group/version`. */
export function apiVersionOf(kind: Kind): string {
	return kind.group ? `${kind.group}/${kind.version}` : kind.version
}

/** Returns the path of all objects of a kind, in one namespace or in all namespaces: `/apis/batch/v1/namespaces/a/jobs`. */
export function collectionPath(kind: Kind, namespace?: string): string {
	const root = kind.group ? `/apis/${kind.group}/${kind.version}` : `/api/${kind.version}`
	if (!kind.namespaced || namespace === undefined) return `${root}/${kind.plural}`
	return `${root}/namespaces/${segment(namespace)}/${kind.plural}`
}

/** Returns the path of one object, or of its subresource (`status`). */
export function objectPath(kind: Kind, at: Name, subresource?: string): string {
	if (kind.namespaced && !at.namespace) throw new Error(`bug: ${kind.kind} ${at.name} is requested without a namespace`)
	if (!at.name) throw new Error(`bug: a ${kind.kind} is requested without a name`)
	const path = `${collectionPath(kind, at.namespace)}/${segment(at.name)}`
	return subresource ? `${path}/${subresource}` : path
}

/**
 * Encodes a name as a path segment. A name with a special meaning in a path is rejected, because it would address another object or a
 * whole collection.
 *
 * @throws Failure BAD_REQUEST
 */
function segment(name: string): string {
	if (!isPathSegment(name))
		throw new Failure<KubeCode>(
			'BAD_REQUEST',
			`${JSON.stringify(name)} is not a valid object name: it must not be "." or "..", and must not have "/" or "%"`,
		)
	return encodeURIComponent(name)
}

/** Returns the key of an object: `namespace/name`, or `name` if there is no namespace. */
export function keyOf({ name, namespace }: Name): string {
	return namespace ? `${namespace}/${name}` : name
}

/** The inverse of `keyOf`. */
export function nameOf(key: string): Name {
	const slash = key.indexOf('/')
	return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) }
}
