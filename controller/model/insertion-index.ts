/**
 * @returns the index of the first item for which `isBefore` is false, or the length if there is none; `isBefore` must be true for all items
 *   before that index and false for all items after it
 */
export function insertionIndex<T>(items: readonly T[], isBefore: (item: T) => boolean): number {
	let [low, high] = [0, items.length]
	while (low < high) {
		const middle = (low + high) >> 1
		const item = items[middle]
		if (item !== undefined && isBefore(item)) low = middle + 1
		else high = middle
	}
	return low
}
