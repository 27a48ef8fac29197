import { type Collection, createCollection } from './collection.ts'
import { customResourceDefinitions, type FakeKind } from './kinds.ts'
import { noSuchPath } from './refusal.ts'

/** Everything the server holds: one collection a kind, one version counter for all. */
export type Store = {
	/** The version of the last write of anything. */
	version(): number
	/** Counts one further write. */
	nextVersion(): number
	/** Adds a kind, or gives one that is there its new definition: watches of it end, its objects stay. */
	register(kind: FakeKind): void
	/** Takes a kind away: watches of it end. */
	unregister(kind: Pick<FakeKind, 'group' | 'plural'>): void
	/** @throws Refusal 404 where nobody serves that */
	collection(kind: Pick<FakeKind, 'group' | 'plural'>): Collection
	all(): Iterable<Collection>
	/** Forgets what was before: older watches and older pages are told 410. */
	compact(): void
}

/** Versions of a real server are never this low when a client comes: from 1 it cannot watch. */
const firstVersion = 100

/**
 * An empty store.
 *
 * @param historySize how many changes of a kind are remembered for watches
 */
export function createStore(historySize: number): Store {
	let version = firstVersion
	const collections = new Map<string, Collection>()
	const keyOf = ({ group, plural }: Pick<FakeKind, 'group' | 'plural'>) => `${group}/${plural}`
	return {
		version: () => version,
		nextVersion: () => ++version,
		register: kind => {
			const known = collections.get(keyOf(kind))
			if (known) known.redefine(kind)
			else collections.set(keyOf(kind), createCollection(kind, version, historySize))
		},
		unregister: kind => {
			collections.get(keyOf(kind))?.close()
			collections.delete(keyOf(kind))
		},
		collection: kind => {
			const found = collections.get(keyOf(kind))
			if (!found) throw noSuchPath()
			return found
		},
		all: () => collections.values(),
		compact: () => {
			for (const collection of collections.values()) collection.compact(version)
		},
	}
}

export function isDefinition({ kind }: Collection): boolean {
	return kind.plural === customResourceDefinitions.plural && kind.group === customResourceDefinitions.group
}
