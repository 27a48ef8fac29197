import { createHeld, type Held } from '../../../viola/held/held.ts'
import type { Entry } from '../../../viola/model/entry.ts'
import type { Source } from '../../../viola/read/source.ts'

/** @param filler length of a part of the view that is not read */
export function entryOf(nodeName: string, version: number, filler = 0): Entry {
	const view = { nodeName, interfaces: [], deleting: false, generation: version, resourceVersion: String(version) }
	return {
		...{ nodeName, generation: version, resourceVersion: String(version), isDeleting: false, digest: '', owner: undefined },
		view: JSON.stringify({ ...view, ...(filler > 0 && { filler: 'x'.repeat(filler) }) }),
	}
}

/** A replica whose node configs a test sets. */
export type Replica = Source & {
	set(nodeName: string, version: number, filler?: number): void
	remove(nodeName: string, version: number): void
}

/** @returns a replica that has listed these node configs at a version */
export function replicaOf(names: readonly string[], version: number, more: Partial<Source> & { filler?: number } = {}): Replica {
	const held: Held = createHeld()
	for (const [at, name] of names.entries()) held.observe(entryOf(name, at + 1, more.filler), undefined)
	held.reach(String(version), true)
	const source = {
		providerId: 'biz',
		held,
		isSynced: () => true,
		heardMs: () => 0,
		unavailable: () => undefined,
		signal: new AbortController().signal,
		...more,
	}
	return Object.assign(source, {
		set: (name: string, at: number, filler?: number) => {
			held.observe(entryOf(name, at, filler), held.content.find(name))
			held.reach(String(at), false)
		},
		remove: (name: string, at: number) => {
			held.observe(undefined, held.content.find(name))
			held.reach(String(at), false)
		},
	})
}
