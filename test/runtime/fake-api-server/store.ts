import { type Collection, createCollection } from './collection.ts'
import { customResourceDefinitions, type FakeKind } from './kinds.ts'
import { noSuchPath } from './refusal.ts'

/** Everything the server holds: one collection per kind, one version counter for all. */
export type Store = {
	/** The version of the last write of any object. */
	version(): number
	/** Counts one more write. */
	nextVersion(): number
	/** Adds a kind, or replaces the definition of an existing one: its watches end, its objects stay. */
	register(kind: FakeKind): void
	/** Removes a kind: its watches end. */
	unregister(kind: Pick<FakeKind, 'group' | 'plural'>): void
	/** @throws Refusal 404 if the kind is not served */
	collection(kind: Pick<FakeKind, 'group' | 'plural'>): Collection
	all(): Iterable<Collection>
	/** Forgets what was before: older watches and older pages get 410. */
	compact(): void
}

/** The version of a real server is never lower when a client connects: a watch from 1 must fail. */
const firstVersion = 100

/**
 * Creates an empty store.
 *
 * @param historySize how many changes of a kind are kept for watches
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
