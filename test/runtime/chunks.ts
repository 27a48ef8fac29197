/** Yields the bytes in chunks of the given lengths, then the rest. */
export async function* chunks(bytes: Buffer, cuts: readonly number[]): AsyncGenerator<Buffer, void, void> {
	let from = 0
	for (const length of cuts) {
		yield bytes.subarray(from, from + length)
		from += length
	}
	yield bytes.subarray(from)
}
