import type { KubeObject, Node, ObjectMeta } from '../../runtime/kube/index.ts'

/** Selects the data of an object for a support bundle: no secrets, and no data that only the API server needs. Pure. */

const bulky = ['kubectl.kubernetes.io/last-applied-configuration']
const secretName = /token|passw|secret|credential|auth|private|api_?key|access_?key/i
const ourLabel = /^(node-role\.kubernetes\.io|kubernetes\.io|multinic\.io)\//

/** @returns a copy without managedFields and last-applied-configuration; values of environment variables that look secret are hidden */
export function leanObject<T extends KubeObject>(object: T): T {
	const { managedFields: _, annotations, ...metadata } = object.metadata as ObjectMeta & { managedFields?: unknown }
	const kept = Object.entries(annotations ?? {}).filter(([name]) => !bulky.includes(name))
	const notes = kept.length > 0 ? { annotations: Object.fromEntries(kept) } : {}
	return hideSecrets({ ...object, metadata: { ...metadata, ...notes } }) as T
}

/** @returns the fields of a Node that affect its runs; its other labels and its annotations may be confidential */
export function leanNode({ metadata, spec, status }: Node): object {
	const { name, uid, creationTimestamp, labels = {} } = metadata
	const known = Object.fromEntries(Object.entries(labels).filter(([label]) => ourLabel.test(label)))
	const { conditions, addresses, nodeInfo } = status ?? {}
	const { taints, unschedulable } = spec ?? {}
	return {
		metadata: { name, uid, creationTimestamp, labels: known },
		spec: { taints, unschedulable },
		status: { conditions, addresses, nodeInfo },
	}
}

function hideSecrets(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(hideSecrets)
	if (typeof value !== 'object' || value === null) return value
	if (isVariable(value)) return { ...value, value: shown(value) }
	return Object.fromEntries(Object.entries(value).map(([field, inner]) => [field, hideSecrets(inner)]))
}

type Variable = { name: string; value: string }

function isVariable(value: object): value is Variable {
	const fields = Object.keys(value)
	return fields.length === 2 && 'name' in value && 'value' in value && typeof value.name === 'string' && typeof value.value === 'string'
}

/** Hides secrets, and user and password in a URL, such as that of a proxy. */
function shown({ name, value }: Variable): string {
	return secretName.test(name) ? '[hidden]' : value.replace(/\/\/[^/@\s]+@/g, '//[hidden]@')
}
