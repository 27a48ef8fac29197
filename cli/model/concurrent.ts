import { inParallel } from '../../runtime/in-parallel.ts'

/** Maximum number of concurrent requests of one command, because the API server must also serve other clients. */
const MAX_CONCURRENT = 8

/** Calls `act` for each item, a few at a time, and returns the results in order. It rejects with the first error. */
export function mapConcurrently<T, R>(all: readonly T[], act: (one: T) => Promise<R>): Promise<R[]> {
	return inParallel(all, MAX_CONCURRENT, act)
}
