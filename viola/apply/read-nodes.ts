import { NodeConfigRequest, type NodeError } from '../../contract/viola-api.ts'
import { faultsIn } from '../../runtime/faults.ts'

/** Maximum length of an invalid name that a response repeats (characters). */
const NAME_MAX = 253

/** Parses one node of a POST. Each node is independent, so that an invalid one never affects the others. */
export function readNode(entry: unknown, position: number): NodeConfigRequest | NodeError {
	const parsed = NodeConfigRequest.safeParse(entry)
	if (parsed.success) return parsed.data
	const named = typeof entry === 'object' && entry !== null && 'nodeName' in entry && typeof entry.nodeName === 'string'
	return {
		nodeName: named ? String(entry.nodeName).slice(0, NAME_MAX) : `[${position}]`,
		code: 'Invalid',
		message: faultsIn(parsed.error),
	}
}

/** Rejects every entry of a node that occurs more than once, because it is ambiguous which one applies. */
export function onlyOnce<T extends { nodeName: string }>(nodes: readonly (T | NodeError)[]): (T | NodeError)[] {
	const count = Map.groupBy(nodes, ({ nodeName }) => nodeName.toLowerCase())
	return nodes.map(node => {
		if ('code' in node || count.get(node.nodeName)?.length === 1) return node
		return { nodeName: node.nodeName, code: 'Duplicate', message: `the request contains ${node.nodeName} more than once` }
	})
}
