import { createHash } from 'node:crypto'
import { faultsIn } from '../runtime/faults.ts'
import { canonicalJson, canonicalText } from '../contract/canonical.ts'
import { NodeConfigSpec } from '../contract/node-config.ts'

/** The spec of a node config as read; where it cannot be carried out, which field of it is wrong, and how many interfaces it lists all the same. */
export type Spec = { value: NodeConfigSpec } | { fault: string; listed: number }

/** A spec, and the hash of what it settles: ours, of the settled interfaces, for the sender's is only informative. */
export type ReadSpec = { readonly spec: Spec; readonly specHash: string }

/** Reads the spec of a node config. */
export function readSpec(raw: unknown): ReadSpec {
	const spec = parse(raw)
	const hashed = 'value' in spec ? undefined : raw // what was read is not held twice
	let hash: string | undefined
	return {
		spec,
		// not before a decision asks: of ten thousand it takes a second, which a start need not wait for
		get specHash() {
			hash ??= sha256('value' in spec ? canonicalText(spec.value.interfaces) : canonicalJson(hashed))
			return hash
		},
	}
}

/** What the API server lets through and we do not: `spec.interfaces[0].routes[1].to: must be …`. */
function parse(raw: unknown): Spec {
	const parsed = NodeConfigSpec.safeParse(raw)
	if (parsed.success) return { value: parsed.data }
	return { fault: faultsIn(parsed.error, { field: 'spec' }), listed: interfacesIn(raw) }
}

/** How many, as far as they are a list. */
function interfacesIn(raw: unknown): number {
	const listed = (raw as { interfaces?: unknown } | null | undefined)?.interfaces
	return Array.isArray(listed) ? listed.length : 0
}

function sha256(text: string): string {
	return createHash('sha256').update(text).digest('hex')
}
