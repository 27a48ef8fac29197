import type { KubeObject } from '../../../runtime/kube/kind.ts'

/** Any JSON object. */
export type Json = { [field: string]: unknown }

/** A stored object. It is complete and immutable. */
export type ApiObject = KubeObject & Json

export function isMap(value: unknown): value is Json {
	return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Applies a merge patch (RFC 7386): `null` removes a field, maps are merged, everything else is replaced. Does not change the target. */
export function mergePatch(target: unknown, patch: unknown): unknown {
	if (!isMap(patch)) return patch
	const merged: Json = isMap(target) ? { ...target } : {}
	for (const [field, value] of Object.entries(patch)) {
		if (value === null) delete merged[field]
		else merged[field] = mergePatch(merged[field], value)
	}
	return merged
}

/** Returns the value at a dotted path (`metadata.name`), or undefined. */
export function valueAt(object: unknown, path: string): unknown {
	return path.split('.').reduce<unknown>((value, field) => (isMap(value) ? value[field] : undefined), object)
}

/** Formats a time as RFC 3339 to the second, as in `metadata`. */
export function timestamp(ms: number): string {
	return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')
}
