/** Splits a stream of bytes into pieces. An incomplete last piece is dropped. `alive` is called for every chunk. */
export type Pieces<T> = (stream: AsyncIterable<Uint8Array>, alive: () => void) => AsyncGenerator<T, void, void>

/** Splits a stream into complete lines and skips empty lines. */
export const linesOf: Pieces<string> = async function* (stream, alive) {
	let rest: Uint8Array[] = []
	for await (const chunk of stream) {
		alive()
		let from = 0
		for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
			const line = joined([...rest, chunk.subarray(from, end)]).toString('utf8')
			rest = []
			from = end + 1
			if (line.trim()) yield line
		}
		if (from < chunk.length) rest.push(chunk.subarray(from))
	}
}

/**
 * Splits a stream into frames. Each frame is preceded by its length: four bytes, big-endian.
 *
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding
 */
export const framesOf: Pieces<Uint8Array> = async function* (stream, alive) {
	let rest: Uint8Array[] = []
	let held = 0
	let wanted = lengthBytes
	for await (const chunk of stream) {
		alive()
		rest.push(chunk)
		held += chunk.length
		if (held < wanted) continue
		const bytes = joined(rest)
		let from = 0
		for (;;) {
			wanted = lengthBytes + (bytes.length - from < lengthBytes ? 0 : bytes.readUInt32BE(from))
			if (bytes.length - from < wanted) break
			yield bytes.subarray(from + lengthBytes, from + wanted)
			from += wanted
		}
		rest = [bytes.subarray(from)]
		held = bytes.length - from
	}
}

const lengthBytes = 4

/** Joins the parts; copies only if there are several. */
export function joined(parts: readonly Uint8Array[]): Buffer {
	const [only] = parts
	return only && parts.length === 1 ? Buffer.from(only.buffer, only.byteOffset, only.byteLength) : Buffer.concat(parts)
}
