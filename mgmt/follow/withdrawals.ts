import type { Actor } from '../inventory/inventory.ts'

/** The node configs that mgmt has had deleted, by biz cluster, until they are. */
export type Withdrawals = {
	/** Whether a biz cluster has such node configs. */
	has(providerId: string): boolean
	add(providerId: string, nodeNames: readonly string[], actor: Actor): void
	/** Returns who has a node config deleted, if it was mgmt, and forgets it. */
	take(providerId: string, nodeName: string): Actor | undefined
}

/** @param onLast called when the last node config of a biz cluster is deleted */
export function createWithdrawals(onLast: (providerId: string) => void): Withdrawals {
	const byProvider = new Map<string, Map<string, Actor>>()
	return {
		has: providerId => byProvider.has(providerId),
		add(providerId, nodeNames, actor) {
			if (nodeNames.length === 0) return
			const actors = byProvider.get(providerId) ?? new Map<string, Actor>()
			byProvider.set(providerId, actors)
			for (const nodeName of nodeNames) actors.set(nodeName, actor)
		},
		take(providerId, nodeName) {
			const actors = byProvider.get(providerId)
			const actor = actors?.get(nodeName)
			actors?.delete(nodeName)
			if (actors?.size !== 0) return actor
			byProvider.delete(providerId)
			onLast(providerId)
			return actor
		},
	}
}
