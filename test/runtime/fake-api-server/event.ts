import { apiVersionOf } from '../../../runtime/kube/kind.ts'
import { type Change, type Collection, Entry } from './collection.ts'
import { textAs } from './list.ts'
import type { Refusal } from './refusal.ts'
import type { Selects } from './select.ts'

/** Returns one line of a watch. An object that begins to match the selector is ADDED; one that no longer matches it is DELETED. */
export function changeLine(at: Collection, version: string, change: Change, selects: Selects): string | undefined {
	const { now, before, gone } = change
	const was = before !== undefined && selects(before.object)
	if (now && selects(now.object)) return eventLine(was ? 'MODIFIED' : 'ADDED', textAs(at, now, version))
	if (!was) return undefined
	// a watch reports the last state, with the version of the change
	return eventLine('DELETED', textAs(at, gone ?? new Entry(change.version, before.object), version))
}

/** @param text the object's JSON */
export function eventLine(type: 'ADDED' | 'MODIFIED' | 'DELETED', text: string): string {
	return `{"type":"${type}","object":${text}}\n`
}

/** @param version API version of the kind @param seen version of the last change */
export function bookmarkLine({ kind }: Collection, version: string, seen: number, metadata: object = {}): string {
	const object = {
		kind: kind.kind,
		apiVersion: apiVersionOf({ ...kind, version }),
		metadata: { resourceVersion: String(seen), ...metadata },
	}
	return `${JSON.stringify({ type: 'BOOKMARK', object })}\n`
}

export function errorLine({ status }: Refusal): string {
	return `${JSON.stringify({ type: 'ERROR', object: status })}\n`
}
