import type { Snapshot } from './snapshot.ts'

/** How often a node that drifted is put right. Pure. */

const hourMs = 3_600_000

/**
 * @param from milliseconds since 1970
 * @returns when, from then on, it may be put right the next time; infinity: never
 */
export function repairAt({ config, rollout: { settings } }: Pick<Snapshot, 'config' | 'rollout'>, from: number): number {
	const allowed = 'value' in settings ? settings.value.repairsPerHour : 0
	if (allowed === 0) return Number.POSITIVE_INFINITY
	const repairs = (config.status.history ?? []).filter(({ cause }) => cause === 'Drifted').map(({ started }) => Date.parse(started))
	const recent = repairs.filter(at => at > from - hourMs).sort((a, b) => b - a)
	const oldest = recent[allowed - 1]
	return oldest === undefined ? from : oldest + hourMs
}

/** What becomes of a drift that was found at that time, in words. */
export function repairWords(snapshot: Pick<Snapshot, 'config' | 'rollout'>, found: number): string {
	const at = repairAt(snapshot, found)
	if (at === Number.POSITIVE_INFINITY) return 'Repairs are switched off (repairsPerHour 0).'
	if (at <= found) return 'It is put right now.'
	return `Put right too often within the hour; next at ${new Date(at).toISOString().slice(11, 16)} UTC.`
}
