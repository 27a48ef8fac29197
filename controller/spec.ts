import { createHash } from 'node:crypto'
import { settle } from '../contract/interface.ts'
import { NodeConfigSpec } from '../contract/node-config.ts'
import type { ConfigView, Snapshot } from './snapshot.ts'

/** The spec of a node config as read, and the hash of what it settles. */
export type ReadSpec = Pick<Snapshot, 'spec' | 'specHash'>

const known = new WeakMap<object, ReadSpec>()

/** Reads the spec of a node config; once for each version of it, for every decision looks at it. */
export function specOf({ rawSpec }: Pick<ConfigView, 'rawSpec'>): ReadSpec {
	if (typeof rawSpec !== 'object' || rawSpec === null) return read(rawSpec)
	const found = known.get(rawSpec) ?? read(rawSpec)
	known.set(rawSpec, found)
	return found
}

function read(raw: unknown): ReadSpec {
	const spec = parse(raw)
	let hash: string | undefined
	return {
		spec,
		// not before a decision asks: of ten thousand it takes a second, which a start need not wait for
		get specHash() {
			hash ??= sha256('value' in spec ? settle(spec.value.interfaces) : raw)
			return hash
		},
	}
}

/** What the API server lets through and we do not: `spec.interfaces[0].routes[1].to: must be …`. */
function parse(raw: unknown): Snapshot['spec'] {
	const parsed = NodeConfigSpec.safeParse(raw)
	if (parsed.success) return { value: parsed.data }
	return { fault: parsed.error.issues.map(({ path, message }) => `${pathOf(path)}: ${message}`).join('; ') }
}

function pathOf(path: readonly PropertyKey[]): string {
	return path.reduce<string>((text, step) => `${text}${typeof step === 'number' ? `[${step}]` : `.${String(step)}`}`, 'spec')
}

/** Of the JSON with sorted keys: how an object was written must not matter. */
function sha256(value: unknown): string {
	const sorted = (_: string, part: unknown) =>
		typeof part === 'object' && part !== null && !Array.isArray(part)
			? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
			: part
	return createHash('sha256')
		.update(JSON.stringify(value, sorted) ?? '')
		.digest('hex')
}
