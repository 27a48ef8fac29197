/** A change of one object: `now` is undefined when it is gone, `before` when it is new. */
export type Change<P> = (key: string, now: P | undefined, before: P | undefined) => void

/** Objects by `namespace/name`, or by name where the kind has no namespaces. */
export type Store<P> = {
	readonly size: number
	get(key: string): P | undefined
	has(key: string): boolean
	keys(): Iterable<string>
	values(): Iterable<P>
}

export type MutableStore<P> = Store<P> & {
	set(key: string, version: string, value: P): void
	remove(key: string): void
	/** Collects a whole new content; `commit` reports what differs. Without `commit` nothing has happened. */
	startReplacing(): { add(key: string, version: string, value: P): void; commit(): void }
}

type Entry<P> = { version: string; value: P }

/**
 * An empty store.
 *
 * @param onChange told after each change
 * @param onBug told what `onChange` threw
 */
export function createStore<P>(onChange: Change<P>, onBug: (error: unknown, key: string) => void): MutableStore<P> {
	let entries = new Map<string, Entry<P>>()
	const report = (key: string, now: P | undefined, before: P | undefined) => {
		try {
			onChange(key, now, before)
		} catch (error) {
			onBug(error, key)
		}
	}
	return {
		get size() {
			return entries.size
		},
		get: key => entries.get(key)?.value,
		has: key => entries.has(key),
		keys: () => entries.keys(),
		values: () => valuesOf(entries),
		set(key, version, value) {
			const before = entries.get(key)
			entries.set(key, { version, value })
			if (before?.version !== version) report(key, value, before?.value)
		},
		remove(key) {
			const before = entries.get(key)
			if (entries.delete(key)) report(key, undefined, before?.value)
		},
		startReplacing() {
			const fresh = new Map<string, Entry<P>>()
			return {
				add: (key, version, value) => void fresh.set(key, { version, value }),
				commit() {
					const old = entries
					entries = fresh
					reportDifference(old, fresh, report)
				},
			}
		},
	}
}

function reportDifference<P>(old: ReadonlyMap<string, Entry<P>>, fresh: ReadonlyMap<string, Entry<P>>, report: Change<P>): void {
	for (const [key, { value }] of old) if (!fresh.has(key)) report(key, undefined, value)
	for (const [key, { version, value }] of fresh) {
		const before = old.get(key)
		if (before?.version !== version) report(key, value, before?.value)
	}
}

function* valuesOf<P>(entries: ReadonlyMap<string, Entry<P>>): Generator<P, undefined, undefined> {
	for (const { value } of entries.values()) yield value
}
