import type { Clock } from '../clock.ts'

/** Keeps results for a limited time. */
export type AgedCache<T> = {
	/** Returns the kept result of a key, or computes it. Concurrent calls for one key share one computation; an error is not kept. */
	get(key: string, compute: () => Promise<T>): Promise<T>
}

export type AgedCacheOptions<T> = {
	/** How long a result is kept, counted from the start of its computation (milliseconds). */
	ageMs: (value: T) => number
	/** Maximum number of results. The least recently used one is dropped first. */
	max: number
	clock: Clock
}

export function createAgedCache<T>({ ageMs, max, clock }: AgedCacheOptions<T>): AgedCache<T> {
	const entries = new Map<string, { value: Promise<T>; until: number }>()
	const keep = (key: string, entry: { value: Promise<T>; until: number }) => {
		entries.delete(key)
		entries.set(key, entry)
		const [oldest] = entries.keys()
		if (entries.size > max && oldest !== undefined) entries.delete(oldest)
	}
	return {
		async get(key, compute) {
			const now = clock.now()
			const kept = entries.get(key)
			if (kept && now < kept.until) {
				keep(key, kept)
				return kept.value
			}
			const entry = { value: compute(), until: Number.POSITIVE_INFINITY }
			keep(key, entry)
			try {
				entry.until = now + ageMs(await entry.value)
			} catch {
				if (entries.get(key) === entry) entries.delete(key)
			}
			return entry.value
		},
	}
}
