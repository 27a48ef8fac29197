import { joined, type Pieces } from './frames.ts'

/** The objects that end in one chunk of a list's JSON, as text. The last part has `rest`: the list without its objects. */
export type ListPart = { items: string[]; rest?: string }

/**
 * Splits the JSON of a list into objects as it arrives, so that the list is never held as a whole. It only searches for the start and end
 * of each object: a parser that reports every value would duplicate all the work of JSON.parse, and be slower.
 */
export const itemsOf: Pieces<ListPart> = async function* (stream, alive) {
	const reading: Reading = { depth: 0, isText: false, skip: 0, isAmongItems: false, around: [], begun: [] }
	for await (const chunk of stream) {
		alive()
		yield { items: take(reading, chunk) }
	}
	yield { items: [], rest: textOf(reading.around) }
}

/** The state of the scan between two chunks. */
type Reading = {
	depth: number
	isText: boolean
	/** Number of bytes to skip in the next chunk: 1 if the last byte was a backslash in a string, otherwise 0. */
	skip: number
	isAmongItems: boolean
	/** Everything except the objects of the list. */
	around: Uint8Array[]
	/** The beginning of the object whose end has not arrived yet. */
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

/** Keeps the tail of a chunk for the next one. Between two objects, there is nothing to keep. */
function keep({ isAmongItems, depth, begun, around }: Reading, tail: Uint8Array): void {
	if (!isAmongItems) around.push(tail)
	else if (depth > 2) begun.push(tail)
}

const byteOf = (sign: string) => sign.charCodeAt(0)
const [quote, backslash, openArray, closeArray, openObject] = ['"', '\\', '[', ']', '{'].map(byteOf)
const steps = new Int8Array(256)
for (const sign of '[{') steps[byteOf(sign)] = 1
for (const sign of ']}') steps[byteOf(sign)] = -1

/** The start or end of an object or array, and its nesting depth. The only array of a list at depth 1 is `items`. */
type Edge = { at: number; byte: number; outside: number }

/** Returns the edges of values at depth 2 or less. Per-byte state is in local variables, which measured twice as fast. */
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
