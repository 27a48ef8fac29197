import { expect, test } from 'vitest'
import { connectSqlite } from '../../../mgmt/inventory/connect.ts'
import { prune } from '../../../mgmt/inventory/prune.ts'
import { record } from '../../../mgmt/inventory/record.ts'
import { actor, nics, providerId, sent } from './samples.ts'

const DAY_MS = 24 * 60 * 60 * 1_000
const now = 1_000 * DAY_MS

async function stored(ages: readonly number[]) {
	const opened = await connectSqlite({ path: ':memory:' }, { deadlineMs: 1_000, now: () => now })
	const changes = ages.map((days, node) => sent(node, nics(node, 1), { at: now - days * DAY_MS }))
	await record(opened.store, '', changes, () => {})
	const count = async (table: 'change' | 'node' | 'nic') => (await opened.store.db.selectFrom(table).select('provider_id').execute()).length
	return { ...opened, db: opened.store.db, count }
}

test('changes older than 90 days are deleted, and nothing else is', async () => {
	const world = await stored([100, 91, 89, 0])
	await prune(world.db, now)
	expect([await world.count('change'), await world.count('node')]).toEqual([4, 4])
	await world.close()
})

test('only the newest changes are kept beyond the limit, however many there are', async () => {
	const world = await stored(Array.from({ length: 1_300 }, () => 1))
	expect(await world.count('change')).toBe(2_600)
	await prune(world.db, now, { days: 90, changes: 100 })
	expect(await world.count('change')).toBe(100)
	const { seq } = await world.db.selectFrom('change').select('seq').orderBy('seq').executeTakeFirstOrThrow()
	const { value } = await world.db.selectFrom('revision').select('value').executeTakeFirstOrThrow()
	expect(seq).toBeLessThanOrEqual(value)
	await world.close()
})

test('a node that was removed 90 days ago is forgotten with its NICs, and readers of changes must start again', async () => {
	const world = await stored([200, 200, 0])
	const removed = [100, 10].map(
		(days, node) => ({ kind: 'removed', at: now - days * DAY_MS, providerId, nodeName: `worker-${node}`, actor }) as const,
	)
	await record(world.store, '', removed, () => {})
	await prune(world.db, now)
	expect([await world.count('node'), await world.count('nic')]).toEqual([2, 2])
	const { forgotten } = await world.db.selectFrom('revision').select('forgotten').executeTakeFirstOrThrow()
	expect(forgotten).toBeGreaterThan(0)
	await world.close()
})
