/** Requests that one command makes concurrently; the API server must also serve other clients. */
const MAX_CONCURRENT = 8

/** Calls `act` for each item, a few at a time, and returns the results in order. It rejects with the first error. */
export async function mapConcurrently<T, R>(all: readonly T[], act: (one: T) => Promise<R>): Promise<R[]> {
	const results: R[] = []
	const next = all.entries()
	const lane = async () => {
		for (const [at, one] of next) results[at] = await act(one)
	}
	await Promise.all(Array.from({ length: Math.min(MAX_CONCURRENT, all.length) }, lane))
	return results
}
