import type { Change, Inventory } from '../../../mgmt/inventory/inventory.ts'
import { actor, nic, nics, owner, portId, providerId, reported, sent, viewIn, web } from './samples.ts'

/** Changes of every kind, each step in one transaction, for tests that end the process between two statements. */
export const steps: readonly (readonly Change[])[] = [
	[sent(1, nics(1, 3)), sent(2, nics(2, 2))],
	[reported(viewIn('InProgress', 1, nics(1, 3))), reported(viewIn('Failed', 2, nics(2, 2), 'WaitingForDevice'))],
	[reported(viewIn('Configured', 1, nics(1, 3)), 3_000), { kind: 'subnet', at: 3_000, subnetId: 'subnet-0', subnet: web }],
	[sent(1, [nic(1, 2, 0), nic(1, 0, 2)], { at: 4_000, owner: { ...owner, name: 'other' } })],
	[{ kind: 'portGone', at: 5_000, providerId, portId: portId(2, 1) }, sent(3, [nic(1, 1, 0)], { at: 5_000 })],
	[{ kind: 'removed', at: 6_000, providerId, nodeName: 'worker-2', actor }],
]

/** Returns everything that is stored, except the numbers that differ from run to run. */
export async function contentOf(inventory: Inventory): Promise<unknown> {
	const page = { limit: 1_000 }
	const there = (await inventory.nodes('*', {}, page)).items
	const removed = (await inventory.nodes('*', { state: 'Removed' }, page)).items
	const nodes = [...there, ...removed]
	const histories = await Promise.all(nodes.map(node => inventory.history(node, page)))
	return {
		nodes: nodes.map(({ revision: _, ...node }) => node),
		histories: histories.map(({ items }) => items.map(({ seq: _, ...change }) => change)),
	}
}

/** Stores the steps one after the other. @returns the content before the first step, and after each of them */
export async function contentsOf(inventory: Inventory): Promise<unknown[]> {
	const contents = [await contentOf(inventory)]
	for (const step of steps) {
		await inventory.record(step)
		contents.push(await contentOf(inventory))
	}
	return contents
}
