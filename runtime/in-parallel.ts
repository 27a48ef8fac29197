/**
 * Calls `work` for each item, for at most `atOnce` of them at a time and started in their order.
 *
 * @returns the results, in the order of the items; rejects with the first error, and does not wait for the work in progress then
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
