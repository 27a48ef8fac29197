import { deadline } from '../runtime/clock.ts'
import { isFailure } from '../runtime/errors.ts'
import { inParallel } from '../runtime/in-parallel.ts'
import type { Inventory } from './inventory/inventory.ts'

/** How long a reconcile waits for the inventory in milliseconds: a port never waits for it any longer. */
const PATIENCE_MS = 2_000

/** Number of nodes that are read concurrently. */
const AT_ONCE = 8

/**
 * Reads the ids that ports had on these nodes. Without the inventory, or after two seconds, it returns what was read until then: the ids that
 * are in force in the biz cluster are enough to continue.
 *
 * @returns node name → port id → interface id
 */
export async function rememberedIds(
	inventory: Pick<Inventory, 'state' | 'idsOf'>,
	providerId: string,
	nodeNames: readonly string[],
): Promise<Map<string, Map<string, number>>> {
	const found = new Map<string, Map<string, number>>()
	if (nodeNames.length === 0 || inventory.state().state !== 'available') return found
	const limit = deadline(PATIENCE_MS)
	const readOne = async (nodeName: string) => {
		if (!limit.signal.aborted) found.set(nodeName, await inventory.idsOf({ providerId, nodeName }))
	}
	const isOver = new Promise<void>(resolve => limit.signal.addEventListener('abort', () => resolve(), { once: true }))
	const all = inParallel(nodeNames, AT_ONCE, readOne).catch(error => {
		if (!isFailure(error)) throw error
	})
	await Promise.race([all, isOver])
	limit.clear()
	return new Map(found)
}
