import * as z from 'zod'
import { tableOf } from '../../contract/bounded.ts'
import { isFailure } from '../../runtime/errors.ts'
import { saying } from '../model/failures.ts'
import { readPages } from './pages.ts'
import type { Session } from './session.ts'
import { Word } from './word.ts'

/** A server. If its cell is down, Nova lists it as UNKNOWN, without name and metadata. */
export const Server = z.object({
	id: Word,
	name: Word.optional(),
	status: Word,
	metadata: tableOf(Word, 1_000).optional(),
})
export type Server = z.infer<typeof Server>

const One = z.object({ server: Server })
const UUID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i

/**
 * Reads the servers of the project, and servers of other projects that are named by id. A server that is not in the result does not exist
 * for this account.
 *
 * @param refs names or ids
 * @throws Failure NovaError: without Nova, no node is resolved and no node is withdrawn
 */
export function readServers(session: Session, refs: readonly string[]): Promise<Server[]> {
	return saying('NovaError', 'Nova servers could not be read', async () => {
		const servers = await readAll(session)
		const known = new Set(servers.map(({ id }) => id))
		for (const id of refs.filter(ref => UUID.test(ref) && !known.has(ref))) servers.push(...(await readOne(session, id)))
		return servers
	})
}

function readAll(session: Session): Promise<Server[]> {
	return readPages(session, { service: 'compute', path: '/servers/detail', many: 'servers', item: Server, query: '' })
}

async function readOne(session: Session, id: string): Promise<Server[]> {
	try {
		return [(await session.get('compute', `/servers/${id}`, One)).server]
	} catch (error) {
		if (isFailure(error, 'NOT_FOUND')) return []
		throw error
	}
}
