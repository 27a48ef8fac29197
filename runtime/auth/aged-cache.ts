import type { Clock } from '../clock.ts'

/** Keeps results for a limited time. */
export type AgedCache<T> = {
	/** Returns the kept result of a key, or computes it. Concurrent calls for one key share one computation; an error is not kept. */
	get(key: string, compute: () => Promise<T>): Promise<T>
	/** Returns the last result of a key, even if its time has passed, without computing it. */
	last(key: string): T | undefined
}

export type AgedCacheOptions<T> = {
	/** How long a result is kept, counted from the start of its computation (milliseconds). */
	ageMs: (value: T) => number
	/** Maximum number of results. The least recently used one is dropped first. */
	max: number
	/** A clock that is never set back. */
	clock: Clock
}

type Entry<T> = { value: Promise<T>; until: number; last: T | undefined }

export function createAgedCache<T>({ ageMs, max, clock }: AgedCacheOptions<T>): AgedCache<T> {
	const entries = new Map<string, Entry<T>>()
	const keep = (key: string, entry: Entry<T>) => {
		entries.delete(key)
		entries.set(key, entry)
		const [oldest] = entries.keys()
		if (entries.size > max && oldest !== undefined) entries.delete(oldest)
	}
	return {
		last: key => entries.get(key)?.last,
		async get(key, compute) {
			const now = clock.now()
			const kept = entries.get(key)
			if (kept && now < kept.until) {
				keep(key, kept)
				return kept.value
			}
			const entry: Entry<T> = { value: compute(), until: Number.POSITIVE_INFINITY, last: kept?.last }
			keep(key, entry)
			try {
				entry.last = await entry.value
				entry.until = now + ageMs(entry.last)
			} catch {
				entry.until = Number.NEGATIVE_INFINITY
				if (entry.last === undefined && entries.get(key) === entry) entries.delete(key)
			}
			return entry.value
		},
	}
}
