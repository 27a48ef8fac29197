import { type Access, EVERY_PROVIDER } from '../../runtime/auth/access.ts'
import type { Auth, Caller } from '../../runtime/auth/auth.ts'
import type { Inventory, Scope } from '../inventory/inventory.ts'

const READ: Access = 'read'

/**
 * Returns the providers that a client may read.
 *
 * @param providerId the provider that the request names, if any
 * @throws Failure ACCESS_DENIED if the client may not read that provider
 */
export async function scopeOf(auth: Auth, caller: Caller, inventory: Inventory, providerId: string | undefined): Promise<Scope> {
	if (providerId !== undefined) {
		await auth.require(caller, READ, providerId)
		return [providerId]
	}
	if (await auth.mayAccess(caller, READ, EVERY_PROVIDER)) return '*'
	if (caller.how === 'clients file') return caller.grant.providers
	const known = await inventory.providerIds()
	const readable = await Promise.all(known.map(one => auth.mayAccess(caller, READ, one)))
	return known.filter((_, at) => readable[at])
}
