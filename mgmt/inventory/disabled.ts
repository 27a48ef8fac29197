import { Failure } from '../../runtime/errors.ts'
import type { Inventory, InventoryCode } from './inventory.ts'

/** The inventory while INVENTORY_ENABLED is false: it stores nothing and knows nothing. */
export function disabled(): Inventory {
	const refuse = async () => {
		throw new Failure<InventoryCode>('Disabled', 'the inventory is disabled: INVENTORY_ENABLED is false')
	}
	return {
		state: () => ({ state: 'disabled' }),
		opened: Promise.resolve(),
		lead() {},
		record: refuse,
		learn() {},
		drained: async () => true,
		backup: refuse,
		async close() {},
		idsOf: refuse,
		revision: refuse,
		nodes: refuse,
		nodesNamed: refuse,
		nodesOfInstance: refuse,
		history: refuse,
		port: refuse,
		search: refuse,
		providers: refuse,
		changesSince: refuse,
	}
}
