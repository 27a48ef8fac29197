/**
 * Calls `work` for each item, in order, with at most `atOnce` calls running concurrently.
 *
 * @returns the results, in the order of the items; rejects with the first error, without waiting for work in progress
 */
export async function inParallel<T, R>(
	items: readonly T[],
	atOnce: number,
	work: (item: T, position: number) => R | Promise<R>,
): Promise<R[]> {
	const results: R[] = []
	const left = items.entries()
	const lane = async () => {
		for (const [position, item] of left) results[position] = await work(item, position)
	}
	await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, lane))
	return results
}
