import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { faultsIn } from '../../runtime/faults.ts'
import { canonicalJson, canonicalText } from '../../contract/canonical.ts'
import { NodeConfigSpec } from '../../contract/node-config.ts'

/** The parsed spec of a node config. If it is invalid: the message with the invalid field, and the number of interfaces in the spec. */
export type Spec = { value: NodeConfigSpec } | { fault: string; listed: number }

/**
 * A spec and its hash: of the interfaces with defaults applied, or of the raw spec if it is invalid. The hash of the sender is informative
 * only.
 */
export type ReadSpec = { readonly spec: Spec; readonly specHash: string; readonly checksum: number }

/**
 * Reads the spec of a node config.
 *
 * @param before an earlier result for the same generation of the same object; returned if the spec has the same checksum. After a restore
 *   of etcd, a watch may resume without a relist, and a generation may be repeated with another spec.
 */
export function readSpec(raw: unknown, before?: ReadSpec): ReadSpec {
	const checksum = crc32(JSON.stringify(raw) ?? '')
	if (before?.checksum === checksum) return before
	const spec = parse(raw)
	const hashed = 'value' in spec ? undefined : raw // the raw copy of a parsed spec is not kept
	let hash: string | undefined
	return {
		spec,
		checksum,
		// computed on first use: hashing ten thousand specs takes a second, which must not delay startup
		get specHash() {
			hash ??= sha256('value' in spec ? canonicalText(spec.value.interfaces) : canonicalJson(hashed))
			return hash
		},
	}
}

/**
 * Parses a spec. `fault` describes a value that the CRD schema allows but the controller does not: `spec.interfaces[0].routes[1].to: must
 * be …`.
 */
function parse(raw: unknown): Spec {
	const parsed = NodeConfigSpec.safeParse(raw)
	if (parsed.success) return { value: parsed.data }
	return { fault: faultsIn(parsed.error, { field: 'spec' }), listed: interfacesIn(raw) }
}

/** The number of interfaces; 0 if `interfaces` is not a list. */
function interfacesIn(raw: unknown): number {
	const listed = (raw as { interfaces?: unknown } | null | undefined)?.interfaces
	return Array.isArray(listed) ? listed.length : 0
}

function sha256(text: string): string {
	return createHash('sha256').update(text).digest('hex')
}
