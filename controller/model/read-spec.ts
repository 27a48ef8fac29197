import { createHash } from 'node:crypto'
import { faultsIn } from '../../runtime/faults.ts'
import { canonicalJson, canonicalText } from '../../contract/canonical.ts'
import { NodeConfigSpec } from '../../contract/node-config.ts'

/** The parsed spec of a node config; if it is invalid, the field that is wrong and the number of interfaces that it lists. */
export type Spec = { value: NodeConfigSpec } | { fault: string; listed: number }

/** A spec and the hash of its interfaces with defaults filled in. The hash is computed here; the sender's is only informative. */
export type ReadSpec = { readonly spec: Spec; readonly specHash: string }

/** Reads the spec of a node config. */
export function readSpec(raw: unknown): ReadSpec {
	const spec = parse(raw)
	const hashed = 'value' in spec ? undefined : raw // a parsed spec is not held twice
	let hash: string | undefined
	return {
		spec,
		// only when a decision needs it: hashing ten thousand takes a second, and must not delay the start
		get specHash() {
			hash ??= sha256('value' in spec ? canonicalText(spec.value.interfaces) : canonicalJson(hashed))
			return hash
		},
	}
}

/** Finds what the API server accepts and the controller does not: `spec.interfaces[0].routes[1].to: must be …`. */
function parse(raw: unknown): Spec {
	const parsed = NodeConfigSpec.safeParse(raw)
	if (parsed.success) return { value: parsed.data }
	return { fault: faultsIn(parsed.error, { field: 'spec' }), listed: interfacesIn(raw) }
}

/** The number of interfaces, if they are a list. */
function interfacesIn(raw: unknown): number {
	const listed = (raw as { interfaces?: unknown } | null | undefined)?.interfaces
	return Array.isArray(listed) ? listed.length : 0
}

function sha256(text: string): string {
	return createHash('sha256').update(text).digest('hex')
}
