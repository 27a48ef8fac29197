import { randomInt, randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { apiVersionOf, type ObjectMeta } from '../../../runtime/kube/kind.ts'
import type { FakeKind } from './kinds.ts'
import { metadataFaults } from './metadata.ts'
import { type ApiObject, timestamp } from './object.ts'
import { badRequest, invalid, Refusal } from './refusal.ts'
import { shaped } from './schema.ts'

/** How unknown fields are rejected; undefined: they are dropped instead. */
export type Strict = 'object' | 'patch' | 'apply' | undefined

type Creation = { namespace: string | undefined; strict: Strict; now: number }

/**
 * Returns a new object as it is stored: with its name, uid and creation time, without unknown fields, and without the status that the
 * client sent.
 *
 * @throws Refusal 400 or 422
 */
export function forCreate(kind: FakeKind, wanted: ApiObject, { namespace, strict, now }: Creation): ApiObject {
	mustBeOfKind(kind, wanted)
	if ((wanted.metadata.namespace ?? namespace) !== namespace)
		throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
	if (wanted.metadata.resourceVersion)
		throw new Refusal({ code: 500, reason: '', message: 'resourceVersion should not be set on objects to be created' })
	const { deletionTimestamp: _, ...metadata } = wanted.metadata
	const { generateName = '' } = metadata
	const ready = inShape(kind, wanted, strict, {
		...metadata,
		name: metadata.name || (generateName && `${generateName.slice(0, 58)}${suffix()}`),
		...(namespace !== undefined && { namespace }),
		uid: randomUUID(),
		creationTimestamp: timestamp(now),
		...generationOf(kind, 1),
	})
	const object = asNew(kind, ready)
	mustBeValid(kind, object, undefined)
	return object
}

type Update = { subresource: string | undefined; strict: Strict }

/**
 * Returns an object as it is stored after an update: fields that the client cannot change keep their values.
 *
 * @throws Refusal 400 or 422
 */
export function forUpdate(kind: FakeKind, wanted: ApiObject, before: ApiObject, { subresource, strict }: Update): ApiObject {
	mustBeOfKind(kind, wanted)
	const { name, namespace = before.metadata.namespace, uid = before.metadata.uid } = wanted.metadata
	if (name !== before.metadata.name)
		throw badRequest(`the name of the object (${name}) does not match the name on the URL (${before.metadata.name})`)
	if (namespace !== before.metadata.namespace)
		throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
	if (uid !== before.metadata.uid) throw immutable(kind, name, 'metadata.uid', uid)
	const { deletionTimestamp } = wanted.metadata
	if (deletionTimestamp && !before.metadata.deletionTimestamp) throw immutable(kind, name, 'metadata.deletionTimestamp', deletionTimestamp)
	const ready = inShape(kind, wanted, strict, { ...wanted.metadata, namespace, ...kept(before.metadata) })
	const object = onlyPart(kind, ready, before, subresource)
	const after = counted(kind, object, before)
	mustBeValid(kind, after, before)
	return after
}

function immutable(kind: FakeKind, name: string, field: string, value: string | undefined): Refusal {
	return invalid(kind, name, [{ field, message: `Invalid value: "${value}": field is immutable` }])
}

/** Returns the metadata fields that clients cannot change. */
function kept(metadata: ObjectMeta): object {
	const own = ['uid', 'resourceVersion', 'creationTimestamp', 'generation', 'deletionTimestamp', 'deletionGracePeriodSeconds']
	const before = metadata as ObjectMeta & Record<string, unknown>
	return Object.fromEntries(own.map(field => [field, before[field]]))
}

/** Keeps only the part that the request can write, because spec and status are written by separate requests. */
function onlyPart(kind: FakeKind, ready: ApiObject, before: ApiObject, subresource: string | undefined): ApiObject {
	if (!kind.status) return ready
	if (!subresource) return part(ready, 'status', before.status)
	return kind.builtIn ? part(ready, 'spec', before.spec) : part(before, 'status', ready.status)
}

function part(object: ApiObject, field: string, value: unknown): ApiObject {
	const { [field]: _, ...rest } = object
	return { ...rest, ...(value !== undefined && { [field]: value }) } as ApiObject
}

function counted(kind: FakeKind, object: ApiObject, before: ApiObject): ApiObject {
	if (kind.generation === false || isDeepStrictEqual(wish(kind, object), wish(kind, before))) return object
	return { ...object, metadata: { ...object.metadata, generation: (before.metadata.generation ?? 0) + 1 } }
}

/** Returns the part of an object whose changes increment the generation. */
function wish({ status }: FakeKind, { metadata: _, ...rest }: ApiObject): object {
	return status ? { ...rest, status: undefined } : rest
}

function generationOf({ generation = true }: FakeKind, count: number): { generation?: number } {
	return generation ? { generation: count } : {}
}

function asNew(kind: FakeKind, object: ApiObject): ApiObject {
	const { status } = kind
	if (!status || (kind.builtIn && !kind.newStatus)) return namespaceExtras(kind, object)
	return namespaceExtras(kind, part(object, 'status', kind.newStatus))
}

/** Adds the finalizer of a new namespace, and the label that contains its name. */
function namespaceExtras({ kind, builtIn }: FakeKind, object: ApiObject): ApiObject {
	if (kind !== 'Namespace' || !builtIn) return object
	const labels = { ...object.metadata.labels, 'kubernetes.io/metadata.name': object.metadata.name }
	return { ...object, metadata: { ...object.metadata, labels }, spec: { finalizers: ['kubernetes'] } }
}

function inShape(kind: FakeKind, wanted: ApiObject, strict: Strict, metadata: object): ApiObject {
	const unknown: string[] = []
	const { apiVersion: _, kind: __, metadata: ___, ...rest } = kind.schema ? shaped(wanted, kind.schema, unknown) : wanted
	if (strict && unknown.length > 0) throw strictFault(kind, wanted, strict, unknown)
	return { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata: tidy(metadata), ...(kind.builtIn ? withoutEmptyData(rest) : rest) }
}

function withoutEmptyData(rest: object): object {
	return Object.fromEntries(Object.entries(rest).filter(([field, value]) => !['data', 'binaryData'].includes(field) || !isEmpty(value)))
}

function strictFault(kind: FakeKind, { metadata }: ApiObject, strict: Strict, unknown: readonly string[]): Refusal {
	const words = `strict decoding error: ${unknown.map(field => `unknown field "${field}"`).join(', ')}`
	if (strict === 'patch') return invalid({ kind: '', group: '' }, '', [{ field: 'patch', message: `Invalid value: "{…}": ${words}` }])
	if (strict === 'apply') {
		const what = `${metadata.namespace}/${metadata.name}; ${apiVersionOf(kind)}, Kind=${kind.kind}`
		const message = `failed to create typed patch object (${what}): .${unknown[0]}: field not declared in schema`
		return new Refusal({ code: 500, reason: '', message })
	}
	return badRequest(`${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: ${words}`)
}

/** Returns the metadata without empty fields and managedFields, as the store returns it. */
function tidy(metadata: object): ObjectMeta {
	const filled = Object.entries(metadata).filter(([field, value]) => !isEmpty(value) && field !== 'managedFields')
	return Object.fromEntries(filled) as ObjectMeta
}

function isEmpty(value: unknown): boolean {
	if (value === undefined || value === null) return true
	return typeof value === 'object' && Object.keys(value).length === 0
}

function mustBeOfKind(kind: FakeKind, { apiVersion, kind: named }: ApiObject): void {
	const expected = [kind.version, ...(kind.alsoServed ?? [])].map(version => apiVersionOf({ ...kind, version }))
	if (apiVersion && !expected.includes(apiVersion))
		throw badRequest(`the API version in the data (${apiVersion}) does not match the expected API version (${expected[0]})`)
	if (named && named !== kind.kind)
		throw badRequest(`${named} in version "${kind.version}" cannot be handled as a ${kind.kind}: no kind "${named}" is registered`)
}

function mustBeValid(kind: FakeKind, object: ApiObject, before: ApiObject | undefined): void {
	const faults = [...metadataFaults(kind, object.metadata, before?.metadata), ...(kind.validate?.(object, before) ?? [])]
	if (faults.length > 0) throw invalid(kind, object.metadata.name, faults)
}

const letters = 'bcdfghjklmnpqrstvwxz2456789'

/** Returns a random suffix for `generateName`. */
function suffix(): string {
	return Array.from({ length: 5 }, () => letters[randomInt(letters.length)]).join('')
}
