import { type Collection, createCollection } from './collection.ts'
import { customResourceDefinitions, type FakeKind } from './kinds.ts'
import { noSuchPath } from './refusal.ts'

/** All content of the server: one collection per kind, and one version counter for all of them. */
export type Store = {
	/** Returns the version of the last write of any object. */
	version(): number
	/** Increments the version for another write. */
	nextVersion(): number
	/** Adds a kind, or replaces the definition of an existing one, whose watches end and whose objects stay. */
	register(kind: FakeKind): void
	/** Removes a kind and ends its watches. */
	unregister(kind: Pick<FakeKind, 'group' | 'plural'>): void
	/** @throws Refusal 404 if the kind is not served */
	collection(kind: Pick<FakeKind, 'group' | 'plural'>): Collection
	all(): Iterable<Collection>
	/** Discards all earlier changes: watches and pages from an earlier version are answered with 410. */
	compact(): void
}

/** A real server never has a lower version when a client connects, so a watch from version 1 must fail. */
const firstVersion = 100

/**
 * Creates an empty store.
 *
 * @param historySize number of changes of each kind to keep for watches
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
