import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Kysely } from 'kysely'
import type { Schema } from './schema.ts'

export const KEEP = { days: 90, changes: 1_000_000 } as const
/** How many rows one transaction deletes. */
const AT_ONCE = 1_000
const DAY_MS = 24 * 60 * 60 * 1_000

/**
 * Deletes changes that are older than 90 days or beyond the newest million, and nodes that were removed 90 days ago, 1,000 rows at a time.
 *
 * @param now milliseconds since 1970
 * @throws the error of the database
 */
export async function prune(db: Kysely<Schema>, now: number, keep: { days: number; changes: number } = KEEP): Promise<void> {
	const before = now - keep.days * DAY_MS
	while (await pruneChanges(db, before, keep.changes)) await nextTurn()
	while (await pruneNodes(db, before)) await nextTurn()
}

/** @returns whether there may be more */
async function pruneChanges(db: Kysely<Schema>, before: number, most: number): Promise<boolean> {
	const { count } = await db
		.selectFrom('change')
		.select(row => row.fn.countAll<number>().as('count'))
		.executeTakeFirstOrThrow()
	const excess = Math.max(0, Number(count) - most)
	// changes are numbered in the order in which they were stored, which is almost that of their times
	const oldest = await db.selectFrom('change').select(['seq', 'at']).orderBy('seq').limit(AT_ONCE).execute()
	const leave = oldest.filter(({ at }, i) => i < excess || at < before).map(({ seq }) => seq)
	if (leave.length === 0) return false
	await db.deleteFrom('change').where('seq', 'in', leave).execute()
	return leave.length === AT_ONCE
}

/** @returns whether there may be more */
async function pruneNodes(db: Kysely<Schema>, before: number): Promise<boolean> {
	const old = await db
		.selectFrom('node')
		.select(['provider_id', 'name', 'revision'])
		.where('removed_at', '<', before)
		.orderBy('revision')
		.limit(AT_ONCE / 10)
		.execute()
	const last = old.at(-1)
	if (!last) return false
	await db.transaction().execute(async tx => {
		// locks the counter as every writing transaction does, so that no reader misses a node between two reads
		await tx.updateTable('revision').set({ forgotten: last.revision }).where('id', '=', 1).execute()
		for (const { provider_id, name } of old) {
			await tx.deleteFrom('nic').where('provider_id', '=', provider_id).where('node', '=', name).execute()
			await tx.deleteFrom('node').where('provider_id', '=', provider_id).where('name', '=', name).execute()
		}
	})
	return old.length === AT_ONCE / 10
}
