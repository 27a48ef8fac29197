/**
 * A change of one object: `now` is undefined if the object was deleted, `before` if it is new.
 *
 * `backlog` is true if the object has not just changed: it is part of the initial content, or is reported again unchanged. A handler that
 * adds keys to a queue then uses LOW_PRIORITY.
 */
export type Change<P> = (key: string, now: P | undefined, before: P | undefined, backlog: boolean) => void

/** Objects by `namespace/name`, or by name if the kind is not namespaced. */
export type Store<P> = {
	readonly size: number
	get(key: string): P | undefined
	has(key: string): boolean
	keys(): Iterable<string>
	values(): Iterable<P>
}

export type MutableStore<P> = Store<P> & {
	/** The resource version of the stored object. */
	versionOf(key: string): string | undefined
	set(key: string, version: string, value: P): void
	remove(key: string): void
	/** Reports every object again unchanged. */
	resync(): void
	/** Starts to collect new content that replaces the current content completely. */
	startReplacing(): Replacement<P>
}

/** New content that is being collected. It has no effect before `commit`. */
export type Replacement<P> = {
	add(key: string, version: string, value: P): void
	remove(key: string): void
	/** Keeps the store's current entry for this object, if any. */
	keep(key: string): void
	/** Replaces the content of the store, and reports the differences. */
	commit(backlog: boolean): void
}

type Entry<P> = { version: string; value: P }
type Entries<P> = ReadonlyMap<string, Entry<P>>

/**
 * Creates an empty store.
 *
 * @param onChange called after each change
 * @param onBug called with the error that `onChange` threw or rejected with
 */
export function createStore<P>(onChange: Change<P>, onBug: (error: unknown, key: string) => void): MutableStore<P> {
	let entries = new Map<string, Entry<P>>()
	const report = contained(onChange, onBug)
	return {
		get size() {
			return entries.size
		},
		get: key => entries.get(key)?.value,
		has: key => entries.has(key),
		versionOf: key => entries.get(key)?.version,
		keys: () => entries.keys(),
		values: () => valuesOf(entries),
		set(key, version, value) {
			const before = entries.get(key)
			entries.set(key, { version, value })
			if (before?.version !== version) report(key, value, before?.value, false)
		},
		remove(key) {
			const before = entries.get(key)
			if (entries.delete(key)) report(key, undefined, before?.value, false)
		},
		resync() {
			for (const [key, { value }] of entries) report(key, value, value, true)
		},
		startReplacing() {
			const fresh = new Map<string, Entry<P>>()
			const commit = (backlog: boolean) => {
				const old = entries
				entries = fresh
				reportDifference(old, fresh, (key, now, before) => report(key, now, before, backlog))
			}
			return { ...collecting(entries, fresh), commit }
		},
	}
}

function contained<P>(onChange: Change<P>, onBug: (error: unknown, key: string) => void): Change<P> {
	return (key, now, before, backlog) => {
		try {
			const result: unknown = onChange(key, now, before, backlog)
			// TypeScript accepts an async function for `onChange`, and its unhandled rejection would end the process
			if (result instanceof Promise) result.catch(error => onBug(error, key))
		} catch (error) {
			onBug(error, key)
		}
	}
}

function collecting<P>(old: Entries<P>, fresh: Map<string, Entry<P>>): Omit<Replacement<P>, 'commit'> {
	return {
		add: (key, version, value) => void fresh.set(key, { version, value }),
		remove: key => void fresh.delete(key),
		keep: key => {
			const entry = old.get(key)
			if (entry) fresh.set(key, entry)
		},
	}
}

type Difference<P> = (key: string, now: P | undefined, before: P | undefined) => void

function reportDifference<P>(old: Entries<P>, fresh: Entries<P>, report: Difference<P>): void {
	for (const [key, { value }] of old) if (!fresh.has(key)) report(key, undefined, value)
	for (const [key, { version, value }] of fresh) {
		const before = old.get(key)
		if (before?.version !== version) report(key, value, before?.value)
	}
}

function* valuesOf<P>(entries: Entries<P>): Generator<P, undefined, undefined> {
	for (const { value } of entries.values()) yield value
}
