/**
 * Reads a body as text (UTF-8) into one buffer that grows: a body in chunks of one byte would otherwise be as many objects, and take a
 * hundred times the memory that its size suggests.
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
