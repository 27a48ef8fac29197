import type { FastifyRateLimitStore, FastifyRateLimitStoreCtor } from '@fastify/rate-limit'

type Count = { current: number; ttl: number }
type Done = (error: Error | null, count?: Count) => void

/** Number of keys that are counted. The least recently used one is dropped first. */
const KEYS_MAX = 5_000

/**
 * Returns a store for the rate limit that measures its windows on `nowMs`. The store of the library uses the time of day: if that is set
 * back, a window lasts longer by as much.
 *
 * @param nowMs a clock that is never set back, in milliseconds
 */
export function rateStoreOn(nowMs: () => number): FastifyRateLimitStoreCtor {
	return class RateStore implements FastifyRateLimitStore {
		readonly #windows = new Map<string, { count: number; endMs: number }>()

		incr(key: string, done: Done, windowMs: number): void {
			const now = nowMs()
			const open = this.#openAt(key, now) ?? { count: 0, endMs: now + windowMs }
			open.count++
			this.#windows.delete(key)
			this.#windows.set(key, open)
			const [oldest] = this.#windows.keys()
			if (this.#windows.size > KEYS_MAX && oldest !== undefined) this.#windows.delete(oldest)
			done(null, { current: open.count, ttl: open.endMs - now })
		}

		read(key: string, done: Done): void {
			const now = nowMs()
			const open = this.#openAt(key, now)
			done(null, open ? { current: open.count, ttl: open.endMs - now } : { current: 0, ttl: 0 })
		}

		child(): FastifyRateLimitStore {
			return new RateStore()
		}

		#openAt(key: string, now: number) {
			const window = this.#windows.get(key)
			return window && now < window.endMs ? window : undefined
		}
	}
}
