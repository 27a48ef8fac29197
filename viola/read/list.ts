import { Readable } from 'node:stream'
import { NODE_CONFIGS_PATH } from '../../contract/viola-api.ts'
import type { Held } from '../held/held.ts'
import type { Entry } from '../model/entry.ts'
import { type ListQuery, nextQuery } from './query.ts'

/** The node configs of a response, and the value of its header Link, if there are more. */
export type Page = { entries: Entry[]; link: string | undefined }

/** Returns the page that a query selects, in the order of the node names. */
export function pageOf(held: Held, query: ListQuery): Page {
	const { limit, nodeName, cursor } = query
	const found = nodeName ? selected(held, nodeName, cursor) : held.content.after(cursor, limit && limit + 1)
	const entries = found.slice(0, limit)
	const last = entries.at(-1)
	if (found.length === entries.length || !last) return { entries, link: undefined }
	return { entries, link: `<${NODE_CONFIGS_PATH}?${nextQuery(query, last.nodeName)}>; rel="next"` }
}

function selected(held: Held, nodeNames: readonly string[], cursor = ''): Entry[] {
	const names = [...new Set(nodeNames)].filter(name => name > cursor).toSorted((a, b) => (a < b ? -1 : 1))
	return names.flatMap(name => held.content.find(name) ?? [])
}

/** Length of a part of a body, in characters. */
const PART = 1 << 16

/**
 * Returns the body of a list. A long one is created as the client takes it: with 10,000 node configs of 10 interfaces it has 58 MiB, which
 * would block the process.
 */
export function bodyOf(entries: readonly Entry[]): string | Readable {
	const parts = partsOf(entries)
	const first = parts.next().value ?? ''
	const second = parts.next().value
	if (second === undefined) return first
	const all = function* () {
		yield first
		yield second
		yield* parts
	}
	return Readable.from(all(), { objectMode: false, highWaterMark: PART })
}

function* partsOf(entries: readonly Entry[]): Generator<string, undefined, undefined> {
	let part = '{"items":['
	for (const [at, { view }] of entries.entries()) {
		part += at === 0 ? view : `,${view}`
		if (part.length < PART) continue
		yield part
		part = ''
	}
	yield `${part}]}`
}
