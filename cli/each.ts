/** Requests that one command makes at once; the API server has others to serve too. */
const atOnce = 8

/** Does the same for each, a few at a time, and gives back the results in order. What is thrown ends it. */
export async function eachOf<T, R>(all: readonly T[], act: (one: T) => Promise<R>): Promise<R[]> {
	const results: R[] = []
	const next = all.entries()
	const lane = async () => {
		for (const [at, one] of next) results[at] = await act(one)
	}
	await Promise.all(Array.from({ length: Math.min(atOnce, all.length) }, lane))
	return results
}
