import { joined, type Pieces } from './frames.ts'

/** What a part of a list's JSON brought: its objects, as texts; `rest` comes last, and is the list without them. */
export type ListPart = { items: string[]; rest?: string }

/**
 * The JSON of a list while it comes, so that it is never held as a whole. Only where objects end is looked for; a parser that tells of every
 * value would do all the work of JSON.parse once more, and slower.
 */
export const itemsOf: Pieces<ListPart> = async function* (stream, alive) {
	const reading: Reading = { depth: 0, isText: false, skip: 0, isAmongItems: false, around: [], begun: [] }
	for await (const chunk of stream) {
		alive()
		yield { items: take(reading, chunk) }
	}
	yield { items: [], rest: textOf(reading.around) }
}

/** Where one is in the list between two chunks. */
type Reading = {
	depth: number
	isText: boolean
	/** 1 where a backslash was the last byte. */
	skip: number
	isAmongItems: boolean
	/** All that is no object of the list. */
	around: Uint8Array[]
	/** The object whose end has not come. */
	begun: Uint8Array[]
}

function take(reading: Reading, chunk: Uint8Array): string[] {
	const items: string[] = []
	let from = 0
	for (const { at, byte, outside } of edgesIn(chunk, reading)) {
		if (outside === 1 && byte === openArray) {
			reading.around.push(chunk.subarray(from, at + 1))
			reading.isAmongItems = true
		} else if (outside === 1 && byte === closeArray) {
			reading.isAmongItems = false
			from = at
		} else if (reading.isAmongItems && byte === openObject) {
			from = at
		} else if (reading.isAmongItems) {
			items.push(textOf([...reading.begun, chunk.subarray(from, at + 1)]))
			reading.begun = []
		}
	}
	keep(reading, chunk.subarray(from))
	return items
}

/** What no end has been seen of. Between two objects that is nothing. */
function keep({ isAmongItems, depth, begun, around }: Reading, tail: Uint8Array): void {
	if (!isAmongItems) around.push(tail)
	else if (depth > 2) begun.push(tail)
}

const byteOf = (sign: string) => sign.charCodeAt(0)
const [quote, backslash, openArray, closeArray, openObject] = ['"', '\\', '[', ']', '{'].map(byteOf)
const steps = new Int8Array(256)
for (const sign of '[{') steps[byteOf(sign)] = 1
for (const sign of ']}') steps[byteOf(sign)] = -1

/** An object or array that begins or ends, and in how many others it is. The only array of a list that is in one alone is that of its objects. */
type Edge = { at: number; byte: number; outside: number }

/** Edges of what is in two others at most. What changes with each byte is copied: it takes half the time (measured). */
function edgesIn(chunk: Uint8Array, reading: Reading): Edge[] {
	const edges: Edge[] = []
	let { depth, isText, skip: at } = reading
	for (; at < chunk.length; at++) {
		const byte = chunk[at] ?? 0
		const step = steps[byte] ?? 0
		if (byte === quote) isText = !isText
		else if (isText) at += Number(byte === backslash)
		else if (step !== 0) {
			const outside = Math.min(depth, depth + step)
			if (outside <= 2) edges.push({ at, byte, outside })
			depth += step
		}
	}
	Object.assign(reading, { depth, isText, skip: at - chunk.length })
	return edges
}

function textOf(parts: readonly Uint8Array[]): string {
	return joined(parts).toString('utf8')
}
