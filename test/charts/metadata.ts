import fc from 'fast-check'
import { ANNOTATION_RETRY, FINALIZER } from '../../contract/names.ts'
import type { ObjectMeta } from '../../runtime/kube/kind.ts'
import { LAST_APPLIED, type Limited, limits } from './metadata-rule.ts'

/** Metadata of node configs for tests of the limits. */

export const many = (count: number, value = 'x') =>
	Object.fromEntries(Array.from({ length: count }, (_, at) => [`example.org/key-${at}`, value]))
export const finalizers = (count: number) => Object.keys(many(count))
export const owner = (at: number, more = {}) => ({ apiVersion: 'v1', kind: 'Namespace', name: `n${at}`, uid: `uid-${at}`, ...more })
export const owners = (count: number, more = {}) => Array.from({ length: count }, (_, at) => owner(at, more))
/** An entry that a client sends itself. The policy estimates 16 bytes per field, and 334 for the rest and for the entry of this client. */
export const entry = (manager: string, fields: number, operation = 'Apply') => {
	const fieldsV1 = Object.fromEntries(Array.from({ length: fields }, (_, at) => [`f:k${String(at).padStart(6, '0')}`, {}]))
	return { manager, operation, apiVersion: 'multinic.io/v1', fieldsType: 'FieldsV1', fieldsV1: { 'f:spec': fieldsV1 } }
}
export const fieldsAllowed = Math.floor((limits.managedFieldsBytes - 334) / 16)
export const long = 'x'.repeat(limits.annotationBytes + 1)

/** Returns annotations with short keys, so that as many as possible fit into the limit of the API server. */
export function tiny(count: number): Record<string, string> {
	const signs = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'
	const key = (at: number) => `${signs[at % 62]}${signs[Math.floor(at / 62) % 62]}${signs[Math.floor(at / 3_844)]}`
	return Object.fromEntries(Array.from({ length: count }, (_, at) => [key(at), '']))
}

/** Metadata of node configs that are older than the policy: each above one limit, and the last one just below it. */
export const old = {
	annotations: { annotations: { ...many(40), [ANNOTATION_RETRY]: 'once' } },
	long: { annotations: { [ANNOTATION_RETRY]: 'x'.repeat(250_000), note: long } },
	labels: { labels: many(70) },
	finalizers: { finalizers: [...finalizers(9), FINALIZER] },
	owners: { ownerReferences: owners(9, { name: 'n'.repeat(600) }) },
	managed: { managedFields: [entry('one', 6_000), entry('other', 2_000)], annotations: { [ANNOTATION_RETRY]: 'once' } },
	held: { finalizers: finalizers(limits.finalizers) },
	full: { managedFields: [entry('one', fieldsAllowed)] },
} satisfies Record<string, Partial<ObjectMeta>>
export type Old = keyof typeof old

const around = (most: number) => fc.oneof(fc.nat({ max: 3 }), fc.integer({ min: most - 1, max: most + 2 }))
const sizes = fc.constantFrom(
	...[0, 1, limits.annotationBytes, limits.annotationBytes + 1],
	...[2_000, limits.lastAppliedBytes, limits.lastAppliedBytes + 1],
)
/** Metadata around the limits. */
export const limited: fc.Arbitrary<Limited> = fc
	.record({
		...{ annotations: around(limits.annotations), labels: around(limits.labels) },
		...{ finalizers: around(limits.finalizers), owners: around(limits.ownerReferences) },
		lengths: fc.dictionary(fc.constantFrom('example.org/key-0', 'example.org/key-1', LAST_APPLIED), sizes, { maxKeys: 2 }),
		sign: fc.constantFrom('x', 'é'),
		longOwners: fc.array(fc.nat({ max: 3 }), { maxLength: 2 }),
	})
	.map(({ annotations, labels, finalizers: count, owners: howMany, lengths, sign, longOwners }) => ({
		annotations: {
			...many(annotations),
			...Object.fromEntries(Object.entries(lengths).map(([key, bytes]) => [key, sign.repeat(Math.ceil(bytes / Buffer.byteLength(sign)))])),
		},
		labels: many(labels),
		finalizers: finalizers(count),
		ownerReferences: Array.from({ length: howMany }, (_, at) => owner(at, longOwners.includes(at) ? { name: 'n'.repeat(600) } : {})),
	}))
export const generated = fc.sample(limited, { numRuns: 20, seed: 14 })
