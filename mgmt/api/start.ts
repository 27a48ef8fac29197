import { MGMT_GROUP } from '../../contract/names.ts'
import type { AccessSettings } from '../../runtime/auth/config.ts'
import { type StartAuthOptions, startAuth } from '../../runtime/auth/start-auth.ts'
import { systemClock } from '../../runtime/clock.ts'
import { listen } from '../../runtime/http-server.ts'
import type { Inventory } from '../inventory/inventory.ts'
import { createInventoryApi } from './server.ts'

export type StartApiOptions = Omit<StartAuthOptions, 'resource' | 'group'> & {
	inventory: Inventory
	access: AccessSettings
	at: Readonly<{ host: string; port: number }>
}

/**
 * Starts the server of the inventory API.
 *
 * @returns a promise that resolves when the server is closed, after `signal` was aborted
 * @throws Failure CONFIG_INVALID if it cannot listen, or cannot verify tokens as configured
 */
export async function startInventoryApi({ inventory, access, at, ...options }: StartApiOptions): Promise<{ closed: Promise<void> }> {
	const { log, signal } = options
	const { auth, close } = await startAuth(access.auth, { ...options, resource: 'inventory', group: MGMT_GROUP })
	const app = createInventoryApi({ inventory, auth, tls: access.tls, log, now: systemClock.now })
	const { address, closed } = await listen(app, at, signal)
	log.info({ address }, 'serving the inventory API')
	return { closed: closed.finally(close) }
}
