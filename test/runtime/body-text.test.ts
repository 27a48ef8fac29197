import { expect, test } from 'vitest'
import { textOf } from '../../runtime/body-text.ts'

async function* inChunks(bytes: Buffer, size: number) {
	for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

test.each([1, 3, 7, 65_536, 1 << 20])('a body in chunks of %i bytes is one text', async size => {
	const text = 'aß日😀'.repeat(10_000)
	expect((await textOf(inChunks(Buffer.from(text), size))) === text).toBe(true)
})

test('an empty body is an empty text, and a byte order mark is not part of the text', async () => {
	expect(await textOf(inChunks(Buffer.alloc(0), 1))).toBe('')
	expect(await textOf(inChunks(Buffer.from('\ufeff{}'), 1))).toBe('{}')
})

test('no chunk is kept: overwriting a chunk does not change the text', async () => {
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
