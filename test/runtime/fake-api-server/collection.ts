import { keyOf } from '../../../runtime/kube/kind.ts'
import type { FakeKind } from './kinds.ts'
import type { ApiObject } from './object.ts'

/** Which leaves (paths as JSON) each field manager applied. */
export type Owners = ReadonlyMap<string, ReadonlySet<string>>

/** One version of one object. */
export class Entry {
	/** `namespace/name`, or the name. */
	readonly key: string
	readonly version: number
	readonly object: ApiObject
	/** No part of the object: who may take which leaf away. */
	owners: Owners | undefined
	#text: string | undefined

	/** @param version 0: not stored */
	constructor(version: number, object: ApiObject, owners?: Owners) {
		this.key = keyOf(object.metadata)
		this.version = version
		const { resourceVersion: _, ...metadata } = object.metadata
		this.object = { ...object, metadata: { ...metadata, ...(version > 0 && { resourceVersion: String(version) }) } }
		this.owners = owners
	}

	/** As JSON; made once, however many read it. */
	get text(): string {
		this.#text ??= JSON.stringify(this.object)
		return this.#text
	}
}

/** `gone` is what a watch shows of an object that is no more: its last state, with the version of its end. */
export type Change = { version: number; before: Entry | undefined; now: Entry | undefined; gone: Entry | undefined }

/** What follows a collection; `ended` when the kind itself changes. */
export type Follower = { told(change: Change): void; ended(): void }

/** The objects of one kind by `namespace/name`, and what became of them lately. */
export type Collection = {
	readonly kind: FakeKind
	readonly size: number
	get(key: string): Entry | undefined
	set(entry: Entry): void
	/** @param version that of the deletion */
	remove(key: string, version: number): void
	/** All objects as they are now, by key. */
	sorted(): readonly Entry[]
	/** The same as they were at a version that a list has shown; undefined when that is forgotten. */
	sortedAt(version: number): readonly Entry[] | undefined
	/** Keeps what `sorted` shows now for later pages. */
	keep(version: number): void
	/** The version of the last change. */
	lastVersion(): number
	/** The version from which on a watch can start. */
	oldestVersion(): number
	changesAfter(version: number): readonly Change[]
	follow(follower: Follower): () => void
	compact(version: number): void
	redefine(kind: FakeKind): void
	close(): void
}

/** Lists whose later pages can still be read. */
const keptLists = 100

export function createCollection(first: FakeKind, version: number, historySize: number): Collection {
	let kind = first
	const entries = new Map<string, Entry>()
	const followers = new Set<Follower>()
	const lists = new Map<number, readonly Entry[]>()
	let sorted: readonly Entry[] | undefined
	let history: Change[] = []
	let oldest = version
	let last = version
	const changed = (change: Change) => {
		sorted = undefined
		last = change.version
		history.push(change)
		if (history.length >= 2 * historySize) {
			oldest = history[historySize - 1]?.version ?? oldest
			history = history.slice(historySize)
		}
		for (const follower of followers) follower.told(change)
	}
	const close = () => {
		for (const follower of [...followers]) follower.ended()
	}
	return {
		get kind() {
			return kind
		},
		get size() {
			return entries.size
		},
		get: key => entries.get(key),
		set: now => {
			const before = entries.get(now.key)
			entries.set(now.key, now)
			changed({ version: now.version, before, now, gone: undefined })
		},
		remove: (key, atVersion) => {
			const before = entries.get(key)
			if (!before || !entries.delete(key)) return
			changed({ version: atVersion, before, now: undefined, gone: new Entry(atVersion, before.object) })
		},
		sorted: () => {
			sorted ??= [...entries.keys()].sort().flatMap(key => entries.get(key) ?? [])
			return sorted
		},
		sortedAt: atVersion => lists.get(atVersion),
		keep(atVersion) {
			lists.set(atVersion, this.sorted())
			const [first] = lists.keys()
			if (lists.size > keptLists && first !== undefined) lists.delete(first)
		},
		lastVersion: () => last,
		oldestVersion: () => oldest,
		changesAfter: version => history.slice(firstAfter(history, version)),
		follow: follower => {
			followers.add(follower)
			return () => void followers.delete(follower)
		},
		compact: atVersion => {
			oldest = atVersion
			history = []
			lists.clear()
		},
		redefine: next => {
			kind = next
			close()
		},
		close,
	}
}

/** Index of the first change after a version, by halving. */
function firstAfter(history: readonly Change[], version: number): number {
	let from = 0
	let to = history.length
	while (from < to) {
		const middle = (from + to) >> 1
		if ((history[middle]?.version ?? 0) > version) to = middle
		else from = middle + 1
	}
	return from
}
