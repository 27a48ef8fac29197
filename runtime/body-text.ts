/**
 * Reads a body as UTF-8 text into one growing buffer. Keeping a list of chunks would need one object per chunk: a body that arrives in
 * chunks of one byte would need a hundred times its size in memory.
 */
export async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
	let all = Buffer.allocUnsafe(1 << 14)
	let length = 0
	for await (const chunk of body) {
		if (length + chunk.length > all.length) all = Buffer.concat([all.subarray(0, length)], 2 * (length + chunk.length))
		all.set(chunk, length)
		length += chunk.length
	}
	return new TextDecoder().decode(all.subarray(0, length))
}
