/** Runs `work` on all items, on at most `most` of them concurrently. @returns the results in the order of the items */
export async function limited<T, R>(items: readonly T[], most: number, work: (item: T) => Promise<R>): Promise<R[]> {
	const results: R[] = []
	const left = items.entries()
	const worker = async () => {
		for (const [at, item] of left) results[at] = await work(item)
	}
	await Promise.all(Array.from({ length: Math.min(most, items.length) }, worker))
	return results
}
