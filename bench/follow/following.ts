import { createGrantedClient } from '../../mgmt/disclosure/client.ts'
import { createSecret, grantOf } from '../../mgmt/disclosure/decide.ts'
import { createFollower } from '../../mgmt/follow/follower.ts'
import { createHttpClients } from '../../mgmt/http-clients.ts'
import type { Change, Inventory } from '../../mgmt/inventory/inventory.ts'
import { openInventory } from '../../mgmt/inventory/open.ts'
import { chosenEndpoint } from '../../mgmt/model/origin.ts'
import { systemClock } from '../../runtime/clock.ts'
import { createLog } from '../../runtime/log.ts'
import { clientToken } from '../viola/process.ts'
import { type Arrivals, createRecord } from './arrivals.ts'

const log = createLog('bench', { level: 'silent' })

/** Follows viola's stream into an inventory, as the leader of mgmt does. Resolves when it has received all nodes. */
export async function startFollowing(url: string, file: string, nodes: number): Promise<Arrivals> {
	const inventory = openInventory({ use: 'sqlite', sqlite: { path: file } }, { log })
	await inventory.opened
	inventory.lead()
	const record = createRecord()
	const received = new Set<string>()
	const all = Promise.withResolvers<void>()
	const noting: Inventory = {
		...inventory,
		learn(changes: readonly Change[]) {
			inventory.learn(changes)
			const views = changes.flatMap(change => (change.kind === 'reported' ? [change.view] : []))
			void inventory.drained().then(() => {
				for (const { nodeName, resourceVersion } of views) {
					received.add(nodeName)
					record.note(resourceVersion)
				}
				if (received.size === nodes) all.resolve()
			})
		},
	}
	const http = createHttpClients(log)
	const follower = createFollower({
		...{ inventory: noting, log, clock: systemClock, chance: () => 0, onRefused: () => all.reject(new Error('viola rejects the token')) },
		during: (target, signal, work) => http.during(signal, clients => work(createGrantedClient(clients.for(target.remote), target.grant))),
	})
	const endpoint = chosenEndpoint([], ['VIOLA_ENDPOINT', url])
	if (!endpoint) throw new Error('viola has no address')
	const grant = grantOf(createSecret('viola token', endpoint, clientToken), endpoint, [])
	follower.follow('bench', { providerId: 'biz', grant, remote: { endpoint, insecure: false, timeoutMs: 5_000 } })
	await all.promise
	return {
		arrival: record.arrival,
		async close() {
			await follower.close()
			await http.close()
			await inventory.close()
		},
	}
}
