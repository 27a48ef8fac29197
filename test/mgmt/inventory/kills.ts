import { execa } from 'execa'
import { expect } from 'vitest'
import { openInventory } from '../../../mgmt/inventory/open.ts'
import type { InventorySettings } from '../../../mgmt/inventory/settings.ts'
import { createLog } from '../../../runtime/log.ts'
import { contentOf, contentsOf, steps } from './scenario.ts'

/** Ends a process that writes the inventory with SIGKILL before one of its statements, and checks what the next process finds. */

const log = createLog('test', { level: 'silent' })

/** @returns the number of statements of the whole scenario, from opening an empty database to the last commit */
export async function countStatements(settings: InventorySettings): Promise<number> {
	const { stdout } = await runUntil(settings, -1)
	return Number(/^(\d+) statements$/m.exec(stdout)?.[1])
}

/** @param settings of an empty database @param at number of the statement before which the process ends */
export async function killBefore(settings: InventorySettings, at: number): Promise<void> {
	const { stdout, signal } = await runUntil(settings, at)
	expect(signal).toBe('SIGKILL')
	const answered = stdout.match(/answered/g)?.length ?? 0
	const expected = await expectedContents()
	await using next = opened(settings)
	await expect.poll(() => next.inventory.state()).toMatchObject({ state: 'available' })
	// what was answered is there; the step in progress is there as a whole or not at all
	expect([expected[answered], expected[answered + 1]]).toContainEqual(await contentOf(next.inventory))
	next.inventory.lead()
	for (const step of steps.slice(answered)) await next.inventory.record(step)
	expect(lastOf(await contentOf(next.inventory))).toEqual(lastOf(expected.at(-1)))
}

/** A step that was stored and is repeated adds nothing, so the nodes end the same; the histories are compared above. */
function lastOf(content: unknown): unknown {
	return (content as { nodes: unknown }).nodes
}

function runUntil(settings: InventorySettings, at: number) {
	return execa('node', ['test/mgmt/inventory/killed.ts', JSON.stringify(settings), String(at)], { reject: false, stderr: 'inherit' })
}

let contents: Promise<unknown[]> | undefined

function expectedContents(): Promise<unknown[]> {
	contents ??= (async () => {
		await using reference = opened({ use: 'sqlite', sqlite: { path: ':memory:' } })
		await reference.inventory.opened
		reference.inventory.lead()
		return await contentsOf(reference.inventory)
	})()
	return contents
}

function opened(settings: InventorySettings) {
	const inventory = openInventory(settings, { log, retryMs: 50 })
	return { inventory, [Symbol.asyncDispose]: () => inventory.close() }
}
