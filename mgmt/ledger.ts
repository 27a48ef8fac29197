import { keyOf } from '../runtime/kube/index.ts'
import { notRecorded } from './authority.ts'
import type { Follower, Target } from './follow/follower.ts'
import type { Inventory } from './inventory/inventory.ts'
import type { OpenstackConfig } from './kind.ts'
import { learnedFrom, type SentFacts } from './learn.ts'
import { actorOf } from './owner.ts'
import type { World } from './plan.ts'
import { rememberedIds } from './remember.ts'

/** The inventory, as the reconcile of one OpenstackConfig uses it. */
export type Ledger = {
	/** Why nothing is stored, if that is so. */
	warning: string | undefined
	/** Follows the node configs of this biz cluster from now on. */
	follow(target: Target): void
	/** Ends that. */
	leave(): void
	/** Returns the ids that ports had on these nodes: node name → port id → interface id. Never waits for more than two seconds. */
	remembered(providerId: string, nodeNames: readonly string[]): Promise<Map<string, Map<string, number>>>
	sent(world: World, facts: Omit<SentFacts, 'actor'>): void
	withdrew(providerId: string, nodeNames: readonly string[]): void
}

export type LedgerSources = {
	inventory: Inventory
	follower: Follower
	all: () => Iterable<OpenstackConfig>
	env: Parameters<typeof notRecorded>[2]
}

/** Opens the inventory for one reconcile of an OpenstackConfig. */
export function ledgerOf({ inventory, follower, all, env }: LedgerSources, config: OpenstackConfig): Ledger {
	const key = keyOf(config.metadata)
	const actor = actorOf(config)
	const warning = notRecorded(config, all(), env)
	const leave = () => follower.leave(key)
	if (warning !== undefined) {
		const ignore = () => {}
		return { warning, follow: leave, leave, remembered: async () => new Map(), sent: ignore, withdrew: ignore }
	}
	return {
		warning,
		follow: target => follower.follow(key, target),
		leave,
		remembered: (providerId, nodeNames) => rememberedIds(inventory, providerId, nodeNames),
		sent: (world, facts) => inventory.learn(learnedFrom(world, { ...facts, actor })),
		withdrew: (providerId, nodeNames) => follower.withdrew(providerId, nodeNames, actor),
	}
}
