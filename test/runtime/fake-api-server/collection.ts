import { keyOf } from '../../../runtime/kube/kind.ts'
import { createHistory, type History } from './history.ts'
import type { FakeKind } from './kinds.ts'
import type { ApiObject } from './object.ts'

/** The leaves (paths as JSON) that each field manager applied and still owns. */
export type Owners = ReadonlyMap<string, ReadonlySet<string>>

/** One version of one object. */
export class Entry {
	/** `namespace/name`, or only the name. */
	readonly key: string
	readonly version: number
	readonly object: ApiObject
	/** Which field manager owns which leaf. This is not part of the object. */
	owners: Owners | undefined
	#text: string | undefined

	/** @param version 0: the object is not stored */
	constructor(version: number, object: ApiObject, owners?: Owners) {
		this.key = keyOf(object.metadata)
		this.version = version
		const { resourceVersion: _, ...metadata } = object.metadata
		this.object = { ...object, metadata: { ...metadata, ...(version > 0 && { resourceVersion: String(version) }) } }
		this.owners = owners
	}

	/** The object as JSON, serialized only once. */
	get text(): string {
		this.#text ??= JSON.stringify(this.object)
		return this.#text
	}
}

/** `gone` is the object that a watch reports for a removed object: its last state, with the version of the removal. */
export type Change = { version: number; before: Entry | undefined; now: Entry | undefined; gone: Entry | undefined }

/** Receives the changes of a collection; `ended` is called when the kind itself changes. */
export type Follower = { told(change: Change): void; ended(): void }

/** The objects of one kind by `namespace/name`, and their recent changes. */
export type Collection = {
	readonly kind: FakeKind
	readonly size: number
	readonly history: History
	/** The version of the last change. */
	readonly lastVersion: number
	get(key: string): Entry | undefined
	set(entry: Entry): void
	/** @param version version of the deletion */
	remove(key: string, version: number): void
	/** Returns all current objects, sorted by key. */
	sorted(): readonly Entry[]
	/** Keeps the current result of `sorted` for later pages of a list. */
	keep(version: number): void
	/** Returns the result that was kept at a version; undefined if it is no longer kept. */
	kept(version: number): readonly Entry[] | undefined
	/** Reports every later change to the follower, until the returned function is called. */
	follow(follower: Follower): () => void
	/** Discards all changes up to a version. */
	compact(version: number): void
	/** Ends the watches; later writes are checked against the new definition. */
	redefine(kind: FakeKind): void
	close(): void
}

/** Number of lists whose later pages can still be read. */
const keptLists = 100

/**
 * Creates an empty collection.
 *
 * @param version version of the store when the kind was registered
 */
export function createCollection(first: FakeKind, version: number, historySize: number): Collection {
	const entries = new Map<string, Entry>()
	const followers = new Set<Follower>()
	const lists = new Map<number, readonly Entry[]>()
	const history = createHistory(version, historySize)
	const now = { kind: first, lastVersion: version, sorted: undefined as readonly Entry[] | undefined }
	const changed = (change: Change) => {
		now.sorted = undefined
		now.lastVersion = change.version
		history.add(change)
		for (const follower of followers) follower.told(change)
	}
	const sorted = () => {
		now.sorted ??= [...entries.keys()].sort().flatMap(key => entries.get(key) ?? [])
		return now.sorted
	}
	const close = () => {
		for (const follower of [...followers]) follower.ended()
	}
	return {
		get kind() {
			return now.kind
		},
		get size() {
			return entries.size
		},
		get lastVersion() {
			return now.lastVersion
		},
		history,
		get: key => entries.get(key),
		set: entry => {
			const before = entries.get(entry.key)
			entries.set(entry.key, entry)
			changed({ version: entry.version, before, now: entry, gone: undefined })
		},
		remove: (key, version) => {
			const before = entries.get(key)
			if (!before || !entries.delete(key)) return
			changed({ version, before, now: undefined, gone: new Entry(version, before.object) })
		},
		sorted,
		keep: version => {
			lists.set(version, sorted())
			const [oldest] = lists.keys()
			if (lists.size > keptLists && oldest !== undefined) lists.delete(oldest)
		},
		kept: version => lists.get(version),
		follow: follower => {
			followers.add(follower)
			return () => void followers.delete(follower)
		},
		compact: version => {
			history.forget(version)
			lists.clear()
		},
		redefine: kind => {
			now.kind = kind
			close()
		},
		close,
	}
}
