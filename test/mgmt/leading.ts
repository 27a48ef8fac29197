import { createFollower, type FollowerOptions } from '../../mgmt/follow/follower.ts'
import { openInventory } from '../../mgmt/inventory/open.ts'
import { systemClock } from '../../runtime/clock.ts'
import type { Log } from '../../runtime/log.ts'

/** What a reconcile needs from a leader, with INVENTORY_ENABLED=false. By default, no stream is opened. */
export function leadingWithoutInventory(log: Log, during: FollowerOptions['during'] = async () => {}) {
	const inventory = openInventory({ use: 'nothing' }, { log })
	const follower = createFollower({ inventory, during, onRefused: () => {}, log, clock: systemClock, chance: () => 0 })
	return { inventory, follower, mayWrite: () => true }
}
