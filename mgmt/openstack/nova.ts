import * as z from 'zod'
import { isFailure } from '../../runtime/errors.ts'
import { saying } from '../failures.ts'
import type { Session } from './session.ts'

/** A server in a cell that is down is shown as UNKNOWN, without name and metadata. */
export const Server = z.object({
	id: z.string(),
	name: z.string().optional(),
	status: z.string(),
	metadata: z.record(z.string(), z.string()).optional(),
})
export type Server = z.infer<typeof Server>

const Page = z.object({ servers: z.array(Server), servers_links: z.array(z.object({ rel: z.string(), href: z.string() })).optional() })
const One = z.object({ server: Server })
const UUID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i

/**
 * The servers of the project, and those named by id that live in another one. What is not in the answer does not exist for this account.
 *
 * @param refs names or ids
 * @throws Failure NovaError: without Nova no node is named, and none is given up
 */
export function readServers(session: Session, refs: readonly string[]): Promise<Server[]> {
	return saying('NovaError', 'Nova servers could not be read', async () => {
		const servers = await readAll(session)
		const known = new Set(servers.map(({ id }) => id))
		for (const id of refs.filter(ref => UUID.test(ref) && !known.has(ref))) servers.push(...(await readOne(session, id)))
		return servers
	})
}

async function readAll(session: Session): Promise<Server[]> {
	const servers: Server[] = []
	for (let query: string | undefined = ''; query !== undefined; ) {
		const page: z.infer<typeof Page> = await session.get('compute', `/servers/detail${query}`, Page)
		servers.push(...page.servers)
		const next = page.servers_links?.find(({ rel }) => rel === 'next')
		query = next && new URL(next.href).search
	}
	return servers
}

async function readOne(session: Session, id: string): Promise<Server[]> {
	try {
		return [(await session.get('compute', `/servers/${id}`, One)).server]
	} catch (error) {
		if (isFailure(error, 'NOT_FOUND')) return []
		throw error
	}
}
