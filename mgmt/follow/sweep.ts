import type { Actor, Change, Inventory, NodeRecord } from '../inventory/inventory.ts'

/** Who removed a node config, if mgmt knows it. */
export type RemovedBy = (nodeName: string) => Actor

/** `beganAt`: when the stream began to send everything, in milliseconds since 1970. */
export type Sweep = {
	inventory: Pick<Inventory, 'drained' | 'nodes' | 'learn'>
	providerId: string
	nodeNames: ReadonlySet<string>
	beganAt: number
	removedBy: RemovedBy
	now: () => number
}

/**
 * Reports to the inventory that the node configs that a stream did not send do not exist any more. A node that was sent after the stream
 * began is left to the stream, because its node config may be younger than what the stream has sent.
 *
 * @returns false if the inventory did not become available before `signal` was aborted or a write failed
 * @throws Failure Unavailable or Disabled
 */
export async function sweep({ inventory, providerId, nodeNames, beganAt, removedBy, now }: Sweep, signal: AbortSignal): Promise<boolean> {
	if (!(await inventory.drained(signal))) return false
	let cursor: string | undefined
	do {
		const page = await inventory.nodes('*', { providerId }, { limit: PAGE, cursor })
		if (signal.aborted) return false
		const gone = page.items.filter(node => isGone(node, nodeNames, beganAt))
		inventory.learn(gone.map(({ nodeName }): Change => ({ kind: 'removed', at: now(), providerId, nodeName, actor: removedBy(nodeName) })))
		cursor = page.next
	} while (cursor !== undefined)
	return true
}

/** Number of nodes in one query. */
const PAGE = 500

function isGone({ nodeName, sentAt = 0 }: NodeRecord, nodeNames: ReadonlySet<string>, beganAt: number): boolean {
	return !nodeNames.has(nodeName) && sentAt < beganAt
}
