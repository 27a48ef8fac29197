/** An item of a heap. The heap maintains `place`, which is -1 while the item is not in it. */
export type Placed = { place: number }

/** A binary heap that keeps the first item available. Every change costs O(log n), reading `first` O(1). */
export type Heap<T extends Placed> = {
	readonly size: number
	readonly first: T | undefined
	add(item: T): void
	/** Removes the item from any position; ignores an item that is not in the heap. */
	remove(item: T): void
	/** Must be called after a change of anything that `before` compares. */
	changed(item: T): void
	clear(): void
}

/**
 * Creates an empty heap.
 *
 * @param before whether `a` comes before `b`; a strict order
 */
export function createHeap<T extends Placed>(before: (a: T, b: T) => boolean): Heap<T> {
	const items: T[] = []
	const put = (item: T, place: number) => {
		items[place] = item
		item.place = place
	}
	return {
		get size() {
			return items.length
		},
		get first() {
			return items[0]
		},
		add(item) {
			put(item, items.length)
			rise(items, item, { before, put })
		},
		remove(item) {
			const last = item.place < 0 ? undefined : items.pop()
			if (last && last !== item) {
				put(last, item.place)
				rise(items, last, { before, put })
				sink(items, last, { before, put })
			}
			item.place = -1
		},
		changed(item) {
			rise(items, item, { before, put })
			sink(items, item, { before, put })
		},
		clear() {
			for (const item of items) item.place = -1
			items.length = 0
		},
	}
}

type Order<T> = { before: (a: T, b: T) => boolean; put: (item: T, place: number) => void }

function rise<T extends Placed>(items: readonly T[], item: T, { before, put }: Order<T>): void {
	for (;;) {
		const above = item.place > 0 ? items[(item.place - 1) >> 1] : undefined
		if (!above || !before(item, above)) return
		const { place } = above
		put(above, item.place)
		put(item, place)
	}
}

function sink<T extends Placed>(items: readonly T[], item: T, { before, put }: Order<T>): void {
	for (;;) {
		const left = items[2 * item.place + 1]
		const right = items[2 * item.place + 2]
		const below = left && right && before(right, left) ? right : left
		if (!below || !before(below, item)) return
		const { place } = below
		put(below, item.place)
		put(item, place)
	}
}
