import type { Kysely } from 'kysely'
import { type NicWithSubnet, nicRecord } from './from-rows.ts'
import type { Scope } from './inventory.ts'
import { inScope, nicsWithSubnet, nicTexts, nodeTexts } from './read.ts'
import type { Hit } from './records.ts'
import type { Schema } from './schema.ts'
import { containing, equalling } from './search.ts'

/** Finds nodes and NICs. Exact matches come first, and then the tables are only read if there is room for more. */
export async function findHits(db: Kysely<Schema>, scope: Scope, text: string, limit: number): Promise<Hit[]> {
	const q = text.trim()
	if (q === '') return []
	const hits = new Map<string, Hit>()
	const exactly = { nodes: equalling(q, nodeTexts), nics: equalling(q, ['nic.port', 'nic.mac', 'nic.address']) }
	const partly = { nodes: containing(q, nodeTexts), nics: containing(q, nicTexts) }
	for (const condition of [exactly, partly]) {
		if (hits.size >= limit) break
		const nodes = await nodesWhere(db, scope, condition.nodes, limit)
		for (const hit of nodes.map(node => nodeHit(node, q))) hits.set(`node ${hit.node.providerId} ${hit.node.nodeName}`, hit)
		if (hits.size >= limit) break
		const nics = await nicsWhere(db, scope, condition.nics, limit)
		for (const nic of nics) hits.set(`nic ${nic.provider_id} ${nic.node} ${nic.id}`, nicHit(nic, q))
	}
	return [...hits.values()].slice(0, limit)
}

type Condition = ReturnType<typeof containing>
type FoundNode = { provider_id: string; name: string; instance_id: string | null }

function nodesWhere(db: Kysely<Schema>, scope: Scope, condition: Condition, limit: number): Promise<FoundNode[]> {
	return db
		.selectFrom('node')
		.select(['provider_id', 'name', 'instance_id'])
		.where('removed_at', 'is', null)
		.where(inScope(scope, 'provider_id'))
		.where(condition)
		.orderBy('name')
		.orderBy('provider_id')
		.limit(limit)
		.execute()
}

function nicsWhere(db: Kysely<Schema>, scope: Scope, condition: Condition, limit: number): Promise<NicWithSubnet[]> {
	return nicsWithSubnet(db)
		.where(inScope(scope, 'nic.provider_id'))
		.where(condition)
		.orderBy('nic.node')
		.orderBy('nic.provider_id')
		.orderBy('nic.id')
		.limit(limit)
		.execute()
}

function nodeHit({ provider_id, name, instance_id }: FoundNode, q: string): Hit & { kind: 'node' } {
	const node = { providerId: provider_id, nodeName: name }
	return { kind: 'node', node, ...(instance_id !== null && { instanceId: instance_id }), matched: matchedIn([name, instance_id], q) }
}

function nicHit(nic: NicWithSubnet, q: string): Hit {
	const texts = [nic.port, nic.mac, nic.address, nic.subnet_name, nic.subnet_network_name, nic.subnet_network, nic.subnet_cidr]
	return { kind: 'nic', nic: nicRecord(nic), matched: matchedIn(texts, q) }
}

/** Returns the first text that contains `q`. */
function matchedIn(texts: readonly (string | null)[], q: string): string {
	return texts.find(text => text?.toLowerCase().includes(q.toLowerCase())) ?? ''
}
