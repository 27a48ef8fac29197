import { expect, test } from 'vitest'
import { textOf } from '../../runtime/body-text.ts'

async function* inChunks(bytes: Buffer, size: number) {
	for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

test.each([1, 3, 7, 65_536, 1 << 20])('a body is decoded correctly from chunks of %i bytes', async size => {
	const text = 'aß日😀'.repeat(10_000)
	expect((await textOf(inChunks(Buffer.from(text), size))) === text).toBe(true)
})

test('an empty body is decoded as an empty string, and a byte order mark is dropped', async () => {
	expect(await textOf(inChunks(Buffer.alloc(0), 1))).toBe('')
	expect(await textOf(inChunks(Buffer.from('\ufeff{}'), 1))).toBe('{}')
})

test('the decoder copies chunks: overwriting a chunk does not change the text', async () => {
	const text = 'aß日😀'.repeat(1_000)
	async function* sameChunk() {
		const chunk = Buffer.alloc(1)
		for (const byte of Buffer.from(text)) {
			chunk[0] = byte
			yield chunk
		}
	}
	expect(await textOf(sameChunk())).toBe(text)
})
