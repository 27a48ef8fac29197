import { nameOf } from '../../runtime/kube/index.ts'
import { type Claim, claimsOf, isPriorClaim, type ClaimRight, rightTo, claimText } from './address-claims.ts'
import { insertionIndex } from '../model/insertion-index.ts'
import type { ConfigView, Conflict } from '../model/snapshot.ts'

/** Keys of the node configs that a change may affect, excluding the changed one. */
export type Affected = {
	/** Node configs that lost a claim to another node config, or gained a claim. */
	holders: ReadonlySet<string>
	/**
	 * Node configs that share a claim whose holder has changed, but do not hold it. Only the name in their conflict message changes, so
	 * they are not urgent.
	 */
	others: ReadonlySet<string>
}

/** Indexes all claims of the fleet, so that a decision does not search the whole fleet. */
export type ClaimIndex = {
	/** Updates the claims of a node config. The result does not grow with the number of claimants unless the holder of a claim changes. */
	take(key: string, now: ConfigView | undefined): Affected
	conflict(key: string): Conflict | undefined
}

type ConfigOf = (key: string) => ConfigView | undefined

/**
 * Creates an empty index.
 *
 * @param configOf returns the current version of a node config
 */
export function createClaimIndex(configOf: ConfigOf): ClaimIndex {
	const claimants = new Claimants(configOf)
	const claims = new Map<string, ReadonlySet<Claim>>()
	return {
		take(key, now) {
			const before = claims.get(key) ?? []
			const after = new Set(now && claimsOf(interfacesOf(now)))
			const all = [...new Set([...before, ...after])]
			const holders = all.map(claim => claimants.holder(claim))
			for (const claim of before) claimants.remove(claim, key)
			if (now) for (const claim of after) claimants.add(claim, key, now)
			if (now) claims.set(key, after)
			else claims.delete(key)
			return affectedBy(key, claimants, changesIn(all, holders, claimants))
		},
		conflict(key) {
			for (const claim of claims.get(key) ?? []) {
				const holder = claimants.holder(claim)
				if (holder !== undefined && holder !== key) return { name: nameOf(holder).name, what: claimText(claim) }
			}
			return undefined
		},
	}
}

/** A claim whose holder has changed. */
type HolderChange = { claim: Claim; holders: (string | undefined)[] }

function changesIn(all: readonly Claim[], before: readonly (string | undefined)[], claimants: Claimants): HolderChange[] {
	const turns = all.map((claim, at) => ({ claim, holders: [before[at], claimants.holder(claim)] }))
	return turns.filter(({ holders: [was, is] }) => was !== is)
}

function affectedBy(key: string, claimants: Claimants, turns: readonly HolderChange[]): Affected {
	const holders = new Set(turns.flatMap(({ holders }) => holders.flatMap(one => (one === undefined || one === key ? [] : [one]))))
	const others = turns.flatMap(({ claim }) => claimants.all(claim)).filter(one => one !== key && !holders.has(one))
	return { holders, others: new Set(others) }
}

/** The claimants of each claim, in order of precedence. */
class Claimants {
	/**
	 * Most claims have only one claimant, whose key is stored without a list: ten thousand one-item lists would take up most of the memory.
	 */
	readonly #of = new Map<Claim, string | ClaimRight[]>()
	readonly #configOf: ConfigOf

	constructor(configOf: ConfigOf) {
		this.#configOf = configOf
	}

	holder(claim: Claim): string | undefined {
		const found = this.#of.get(claim)
		return typeof found === 'string' ? found : found?.[0]?.key
	}

	all(claim: Claim): string[] {
		const found = this.#of.get(claim) ?? []
		return typeof found === 'string' ? [found] : found.map(({ key }) => key)
	}

	add(claim: Claim, key: string, config: ConfigView): void {
		const found = this.#of.get(claim)
		if (found === undefined) return void this.#of.set(claim, key)
		const rights = typeof found === 'string' ? this.#only(claim, found) : found
		const own = rightTo(claim, key, config)
		rights.splice(
			insertionIndex(rights, other => isPriorClaim(other, own)),
			0,
			own,
		)
		this.#of.set(claim, rights)
	}

	remove(claim: Claim, key: string): void {
		const found = this.#of.get(claim)
		if (found === key) this.#of.delete(claim)
		if (!Array.isArray(found)) return
		const at = found.findIndex(right => right.key === key)
		if (at >= 0) found.splice(at, 1)
		const [first] = found
		if (found.length === 1 && first) this.#of.set(claim, first.key)
	}

	/** Returns a list for a claim with one claimant. A node config that was deleted but is still in this index has no claims anymore. */
	#only(claim: Claim, key: string): ClaimRight[] {
		const config = this.#configOf(key)
		return config ? [rightTo(claim, key, config)] : []
	}
}

/** A node config with an invalid spec claims nothing. */
function interfacesOf(config: ConfigView) {
	const { spec } = config.read
	return 'value' in spec ? spec.value.interfaces : []
}
