import { createHeap, type Indexed } from './heap.ts'

/** Callbacks of a delay queue. */
export type DelayQueueOptions = {
	/** Whether the key is being processed. Such a key must wait even if it is due. */
	isProcessing(key: string): boolean
	/** Called when a key becomes available for processing. */
	onDue(): void
	/** Called when the number of available keys with this priority changes. */
	onDepth(priority: number, keys: number): void
}

/** Tracks when each key is due, and its priority. Times are in milliseconds of one clock, which the caller reads. */
export type DelayQueue = {
	/** Makes the key due immediately. `time` is the current time. */
	addNow(key: string, priority: number, time: number): void
	/** Makes the key due at `at`. Has no effect on a key that is already due with the same or a higher priority. */
	addLater(key: string, priority: number, at: number): void
	/** Makes all delayed keys due whose time is `time` or earlier. */
	promoteDue(time: number): void
	/** Must be called when the key is no longer being processed. */
	release(key: string): void
	/**
	 * Removes and returns the available key with the highest priority; among equals, the one that became due first. Also removes a pending
	 * delayed addition of that key.
	 */
	get(): Entry | undefined
	clear(): void
	/** When the next delayed key becomes due; undefined if no key is delayed. */
	readonly next: number | undefined
	readonly depth: number
	readonly delayed: number
}

export type Entry = { readonly key: string; readonly priority: number; readonly since: number }

/** `seq` increases with each addition and orders keys of equal priority. While a key is being processed, it is not in the heap. */
type Due = Indexed & { key: string; priority: number; seq: number; since: number }
type Later = Indexed & { key: string; priority: number; seq: number; at: number }

/** Creates an empty queue. Every operation costs O(log n). */
export function createDelayQueue(options: DelayQueueOptions): DelayQueue {
	return new KeyDelayQueue(options)
}

class KeyDelayQueue implements DelayQueue {
	readonly #options: DelayQueueOptions
	readonly #due = createHeap<Due>((a, b) => (a.priority === b.priority ? a.seq < b.seq : a.priority > b.priority))
	readonly #dueOf = new Map<string, Due>()
	readonly #later = createHeap<Later>((a, b) => (a.at === b.at ? a.seq < b.seq : a.at < b.at))
	readonly #laterOf = new Map<string, Later>()
	readonly #depths = new Map<number, number>()
	#seq = 0

	constructor(options: DelayQueueOptions) {
		this.#options = options
	}

	addNow(key: string, priority: number, time: number): void {
		const later = this.#laterOf.get(key)
		if (later && later.priority <= priority) this.#drop(later)
		const due = this.#dueOf.get(key)
		if (due) this.#raise(due, priority)
		else this.#insert({ key, priority, seq: this.#seq++, since: time, index: -1 })
	}

	addLater(key: string, priority: number, at: number): void {
		const due = this.#dueOf.get(key)
		if (due && due.priority >= priority) return
		const later = this.#laterOf.get(key)
		if (later) this.#drop(later)
		const most = Math.max(priority, later?.priority ?? priority)
		const both = { key, priority: most, seq: this.#seq++, at: Math.min(at, later?.at ?? at), index: -1 }
		this.#laterOf.set(key, both)
		this.#later.add(both)
	}

	promoteDue(time: number): void {
		for (let first = this.#later.first; first && first.at <= time; first = this.#later.first) {
			this.#drop(first)
			this.addNow(first.key, first.priority, time)
		}
	}

	release(key: string): void {
		const due = this.#dueOf.get(key)
		if (due && due.index < 0) this.#enter(due)
	}

	get(): Entry | undefined {
		const due = this.#due.first
		if (!due) return undefined
		this.#due.remove(due)
		this.#dueOf.delete(due.key)
		const later = this.#laterOf.get(due.key)
		if (later) this.#drop(later)
		this.#count(due.priority, -1)
		return due
	}

	clear(): void {
		this.#due.clear()
		this.#dueOf.clear()
		this.#later.clear()
		this.#laterOf.clear()
		for (const [priority, keys] of this.#depths) this.#count(priority, -keys)
	}

	get next(): number | undefined {
		return this.#later.first?.at
	}

	get depth(): number {
		return this.#due.size
	}

	get delayed(): number {
		return this.#later.size
	}

	#insert(due: Due): void {
		this.#dueOf.set(due.key, due)
		if (!this.#options.isProcessing(due.key)) this.#enter(due)
	}

	#enter(due: Due): void {
		this.#due.add(due)
		this.#options.onDue()
		this.#count(due.priority, 1)
	}

	/** Raises the priority and keeps `seq`, because the key has waited longer than keys that are added now. */
	#raise(due: Due, priority: number): void {
		if (priority <= due.priority) return
		const before = due.priority
		due.priority = priority
		if (due.index < 0) return
		this.#due.changed(due)
		this.#count(before, -1)
		this.#count(priority, 1)
	}

	#drop(later: Later): void {
		this.#later.remove(later)
		this.#laterOf.delete(later.key)
	}

	#count(priority: number, more: number): void {
		const keys = (this.#depths.get(priority) ?? 0) + more
		if (keys === 0) this.#depths.delete(priority)
		else this.#depths.set(priority, keys)
		this.#options.onDepth(priority, keys)
	}
}
