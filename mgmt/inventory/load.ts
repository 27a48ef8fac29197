import type { Kysely } from 'kysely'
import type { Stored } from './drafts.ts'
import type { NodeKey } from './records.ts'
import type { NicRow, NodeRow, Schema } from './schema.ts'

/** Names a node in a Map. Neither part can contain a space. */
export function nameOfKey({ providerId, nodeName }: NodeKey): string {
	return `${providerId} ${nodeName}`
}

/** Reads what is stored about these nodes: one query for the nodes of each provider, and one for their NICs. */
export async function loadNodes(db: Kysely<Schema>, keys: readonly NodeKey[]): Promise<Map<string, Stored>> {
	const stored = new Map<string, { node: NodeRow | undefined; nics: NicRow[] }>(
		keys.map(key => [nameOfKey(key), { node: undefined, nics: [] }]),
	)
	for (const [providerId, ofProvider] of Map.groupBy(keys, key => key.providerId)) {
		const names = [...new Set(ofProvider.map(({ nodeName }) => nodeName))]
		const nodes = await db.selectFrom('node').selectAll().where('provider_id', '=', providerId).where('name', 'in', names).execute()
		const nics = await nicsOf(db, providerId, names)
		// MariaDB ignores spaces at the end of a text when it compares, so it may return the row of another name
		for (const node of nodes) {
			const entry = stored.get(nameOfKey({ providerId, nodeName: node.name }))
			if (entry) entry.node = node
		}
		for (const nic of nics) stored.get(nameOfKey({ providerId, nodeName: nic.node }))?.nics.push(nic)
	}
	return stored
}

/** Reads which nodes have these ports. */
export async function nodesOfPorts(db: Kysely<Schema>, ports: readonly { providerId: string; portId: string }[]): Promise<NodeKey[]> {
	if (ports.length === 0) return []
	const ids = [...new Set(ports.map(({ portId }) => portId))]
	const rows = await db.selectFrom('nic').select(['provider_id', 'node', 'port']).where('port', 'in', ids).execute()
	const wanted = new Set(ports.map(({ providerId, portId }) => `${providerId} ${portId}`))
	const own = rows.filter(row => wanted.has(`${row.provider_id} ${row.port}`))
	return own.map(row => ({ providerId: row.provider_id, nodeName: row.node }))
}

/** Reads the NICs of nodes of one provider, by id. */
export function nicsOf(db: Kysely<Schema>, providerId: string, names: readonly string[]): Promise<NicRow[]> {
	return db
		.selectFrom('nic')
		.selectAll()
		.where('provider_id', '=', providerId)
		.where('node', 'in', names)
		.orderBy('node')
		.orderBy('id')
		.execute()
}
