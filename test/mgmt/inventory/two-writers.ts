import { expect } from 'vitest'
import { openInventory } from '../../../mgmt/inventory/open.ts'
import type { InventorySettings } from '../../../mgmt/inventory/settings.ts'
import { isFailure } from '../../../runtime/errors.ts'
import { createLog } from '../../../runtime/log.ts'
import { nics, reported, sent, viewIn } from './samples.ts'

const log = createLog('test', { level: 'silent' })

/** Two processes that both believe to lead write the same nodes for `ms` milliseconds, while a third reads the changes. */
export async function twoWriters(settings: InventorySettings, ms: number): Promise<void> {
	const until = Date.now() + ms
	const open = async () => {
		const inventory = openInventory(settings, { log, retryMs: 50, deadlineMs: 10_000 })
		await inventory.opened
		return inventory
	}
	const [one, other, reader] = await Promise.all([open(), open(), open()])
	let superseded = 0
	const write = async (inventory: typeof one, shift: number) => {
		inventory.lead()
		for (let round = 0; Date.now() < until; round++) {
			const changes = Array.from({ length: 20 }, (_, i) => {
				const interfaces = nics(i, 1 + ((round + shift + i) % 4))
				return [sent(i, interfaces, { at: round }), reported(viewIn('Configured', i, interfaces), round)]
			})
			try {
				await inventory.record(changes.flat())
			} catch (error) {
				if (!isFailure(error, 'Superseded')) throw error
				superseded++
				inventory.lead()
			}
		}
	}
	const read = async () => {
		let last = { epoch: '', revision: 0 }
		while (Date.now() < until) {
			const changed = await reader.changesSince('*', last, 1_000)
			expect(changed.head.revision).toBeGreaterThanOrEqual(last.revision)
			if ('items' in changed) for (const { revision } of changed.items) expect(revision).toBeGreaterThan(last.revision)
			last = changed.head
		}
	}
	await Promise.all([write(one, 0), write(other, 2), read()])
	expect(superseded).toBeGreaterThan(0)
	const { items } = await reader.nodes('*', {}, { limit: 100 })
	for (const { interfaces, nics: rows, letters } of items) {
		expect(rows.map(({ portId, id }) => [portId, id])).toEqual(interfaces.map(({ portId, id }) => [portId, id]))
		expect(letters).toBe('C'.repeat(interfaces.length))
	}
	await Promise.all([one, other, reader].map(inventory => inventory.close()))
}
