import { type Claim, claimsOf, rivalOf } from './claims.ts'
import type { ConfigView, Rival } from './snapshot.ts'

/** Who claims what in the whole fleet, so that a decision need not look through all of it. */
export type ClaimIndex = {
	/** @returns the keys of node configs that shared a claim with this one, before or now: for them something may have changed */
	take(key: string, now: ConfigView | undefined): ReadonlySet<string>
	rival(key: string): Rival | undefined
}

/**
 * An empty index.
 *
 * @param configOf a node config as it is known now
 */
export function createClaimIndex(configOf: (key: string) => ConfigView | undefined): ClaimIndex {
	/** One claimant is the rule; ten thousand sets of one would be most of the memory. */
	const claimants = new Map<Claim, string | string[]>()
	const claims = new Map<string, readonly Claim[]>()
	const others = (claim: Claim, key: string) => listOf(claimants.get(claim)).filter(other => other !== key)
	const set = (claim: Claim, keys: string[]) => {
		const [first] = keys
		if (first === undefined) claimants.delete(claim)
		else claimants.set(claim, keys.length === 1 ? first : keys)
	}
	return {
		take(key, now) {
			const before = claims.get(key) ?? []
			const after = now ? claimsOf(interfacesOf(now)) : []
			for (const claim of before) set(claim, others(claim, key))
			for (const claim of after) set(claim, [...others(claim, key), key])
			if (now) claims.set(key, after)
			else claims.delete(key)
			return new Set([...before, ...after].flatMap(claim => others(claim, key)))
		},
		rival(key) {
			const own = configOf(key)
			if (!own) return undefined
			const contested = (claims.get(key) ?? []).flatMap(claim => {
				const found = others(claim, key).flatMap(other => configOf(other) ?? [])
				return found.length > 0 ? [{ claim, others: found }] : []
			})
			return rivalOf(own, contested)
		},
	}
}

/** A node config that is not carried out as it is written claims nothing. */
function interfacesOf(config: ConfigView) {
	const { spec } = config.read
	return 'value' in spec ? spec.value.interfaces : []
}

function listOf(keys: string | string[] | undefined): readonly string[] {
	return keys === undefined ? [] : typeof keys === 'string' ? [keys] : keys
}
