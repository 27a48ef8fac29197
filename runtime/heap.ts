/** An item of a heap. The heap maintains `index`, which is -1 while the item is not in it. */
export type Indexed = { index: number }

/** A binary heap that keeps the first item available. Every change costs O(log n), reading `first` O(1). */
export type Heap<T extends Indexed> = {
	readonly size: number
	readonly first: T | undefined
	add(item: T): void
	/** Removes the item from any position; ignores an item that is not in the heap. */
	remove(item: T): void
	/** Must be called after a property that `before` compares has changed. */
	changed(item: T): void
	clear(): void
}

/**
 * Creates an empty heap.
 *
 * @param before whether `a` comes before `b`; a strict order
 */
export function createHeap<T extends Indexed>(before: (a: T, b: T) => boolean): Heap<T> {
	const items: T[] = []
	const put = (item: T, index: number) => {
		items[index] = item
		item.index = index
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
			siftUp(items, item, { before, put })
		},
		remove(item) {
			const last = item.index < 0 ? undefined : items.pop()
			if (last && last !== item) {
				put(last, item.index)
				siftUp(items, last, { before, put })
				siftDown(items, last, { before, put })
			}
			item.index = -1
		},
		changed(item) {
			siftUp(items, item, { before, put })
			siftDown(items, item, { before, put })
		},
		clear() {
			for (const item of items) item.index = -1
			items.length = 0
		},
	}
}

type Order<T> = { before: (a: T, b: T) => boolean; put: (item: T, index: number) => void }

function siftUp<T extends Indexed>(items: readonly T[], item: T, { before, put }: Order<T>): void {
	for (;;) {
		const above = item.index > 0 ? items[(item.index - 1) >> 1] : undefined
		if (!above || !before(item, above)) return
		const { index } = above
		put(above, item.index)
		put(item, index)
	}
}

function siftDown<T extends Indexed>(items: readonly T[], item: T, { before, put }: Order<T>): void {
	for (;;) {
		const left = items[2 * item.index + 1]
		const right = items[2 * item.index + 2]
		const below = left && right && before(right, left) ? right : left
		if (!below || !before(below, item)) return
		const { index } = below
		put(below, item.index)
		put(item, index)
	}
}
