import { isDeepStrictEqual } from 'node:util'
import type { ObjectMeta, OwnerReference } from '../../runtime/kube/kind.ts'

/** The metadata fields of a node config that the admission policy limits. */
export type Limited = Pick<ObjectMeta, 'annotations' | 'labels' | 'finalizers' | 'ownerReferences'>

export const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

/** The limits as documented: the number of entries, and the bytes of one entry. */
export const limits = {
	annotations: 32,
	labels: 64,
	finalizers: 8,
	ownerReferences: 8,
	annotationBytes: 1_024,
	lastAppliedBytes: 65_536,
	ownerBytes: 512,
	managedFieldsBytes: 65_536,
} as const

const counted = ['annotations', 'labels', 'finalizers', 'ownerReferences'] as const

/**
 * Models the policy, without managed fields.
 *
 * @param before undefined: the object is created
 * @returns the beginning of the first error; undefined: the write is allowed
 */
export function refusedField(after: Limited, before: Limited = {}): string | undefined {
	const field = counted.find(field => countOf(after[field]) > Math.max(limits[field], countOf(before[field])))
	if (field) return `metadata.${field}: at most ${limits[field]} `
	const isLong = ([key, value]: [string, string]) =>
		bytesOf(value) > Math.max(key === LAST_APPLIED ? limits.lastAppliedBytes : limits.annotationBytes, bytesOf(before.annotations?.[key]))
	if (Object.entries(after.annotations ?? {}).some(isLong)) return 'metadata.annotations['
	const isNewAndLong = (owner: OwnerReference) => isLongOwner(owner) && !before.ownerReferences?.some(one => isDeepStrictEqual(one, owner))
	return after.ownerReferences?.some(isNewAndLong) ? 'metadata.ownerReferences: at most 512 bytes ' : undefined
}

function isLongOwner({ apiVersion, kind, name, uid }: OwnerReference): boolean {
	return [apiVersion, kind, name, uid].some(text => bytesOf(text) > limits.ownerBytes)
}

function countOf(entries: object | undefined): number {
	return Object.keys(entries ?? {}).length
}

function bytesOf(text = ''): number {
	return Buffer.byteLength(text)
}
