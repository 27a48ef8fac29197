import fc from 'fast-check'
import { PbfWriter } from 'pbf'
import { describe, expect, test } from 'vitest'
import { object, readEvent, readStatus } from '../../../runtime/kube/envelope.ts'
import { framesOf, linesOf, type Pieces } from '../../../runtime/kube/frames.ts'
import { many, map, message, one, parse, text, whole } from '../../../runtime/kube/protobuf.ts'
import { chunks } from '../chunks.ts'

/** Writes the fields of a message in order. */
type Write = (to: PbfWriter) => unknown

describe('a message', () => {
	const part = message({ name: one(1, text) })
	const all = message({
		name: one(1, text),
		size: one(2, whole),
		part: one(4, part),
		parts: many(5, part),
		labels: map(15),
	})
	const label = (to: PbfWriter, key: string, value: string) =>
		to.writeMessage(15, () => [to.writeStringField(1, key), to.writeStringField(2, value)], {})
	test.each<[what: string, write: Write, read: object]>([
		['without fields', () => {}, {}],
		['with a string', to => to.writeStringField(1, 'größe'), { name: 'größe' }],
		['with an empty string, which JSON omits', to => to.writeStringField(1, ''), {}],
		['with a number', to => to.writeVarintField(2, 1_700_000_000), { size: 1_700_000_000 }],
		['with a negative number', to => to.writeVarintField(2, -1), { size: -1 }],
		['with 0, which JSON omits', to => to.writeVarintField(2, 0), {}],
		['with a nested message', to => named(to, 4, 'a'), { part: { name: 'a' } }],
		['with an empty nested message', to => to.writeMessage(4, () => {}, {}), { part: {} }],
		['with a repeated field, in order', to => [named(to, 5, 'b'), named(to, 5, 'a')], { parts: [{ name: 'b' }, { name: 'a' }] }],
		['with a map', to => [label(to, 'a', '1'), label(to, 'b', '')], { labels: { a: '1', b: '' } }],
		['with the map key __proto__', to => label(to, '__proto__', 'x'), { labels: JSON.parse('{"__proto__":"x"}') }],
		[
			'with unknown fields, which are skipped',
			to => [named(to, 9, 'x'), to.writeStringField(1, 'a'), to.writeFixed64Field(11, 7)],
			{ name: 'a' },
		],
	])('%s is parsed', (_, write, read) => {
		expect({ ...parse(written(write), all) }).toEqual(read)
		expect(JSON.stringify(parse(written(write), all))).toBe(JSON.stringify(read))
	})
})

describe('the envelope of Kubernetes', () => {
	const read = object({}, { size: one(2, whole) })
	test('an event contains its type, and the object with its metadata', () => {
		const metadata: Write = to => {
			to.writeStringField(1, 'a')
			to.writeMessage(8, () => to.writeVarintField(1, 1_700_000_000), {})
		}
		const frame = event('ADDED', to => [to.writeMessage(1, () => metadata(to), {}), to.writeVarintField(2, 7)])
		expect(readEvent(frame, read)).toEqual({
			type: 'ADDED',
			object: { metadata: { name: 'a', creationTimestamp: '2023-11-14T22:13:20Z' }, size: 7 },
		})
	})

	test.each<[what: string, time: Write, metadata: object]>([
		['an unset timestamp is omitted', () => {}, {}],
		['a timestamp of 0 is the start of 1970', to => to.writeVarintField(1, 0), { creationTimestamp: '1970-01-01T00:00:00Z' }],
	])('%s', (_, time, metadata) => {
		const frame = event('BOOKMARK', to => to.writeMessage(1, () => to.writeMessage(8, () => time(to), {}), {}))
		expect(readEvent(frame, read)).toEqual({ type: 'BOOKMARK', object: { metadata } })
	})

	test('the object of an ERROR event is a Status for every watched kind', () => {
		const status: Write = to => [to.writeStringField(3, 'too old'), to.writeStringField(4, 'Expired'), to.writeVarintField(6, 410)]
		expect(readEvent(event('ERROR', status), read)).toEqual({ type: 'ERROR', object: { message: 'too old', reason: 'Expired', code: 410 } })
		expect(readStatus(enveloped(status))).toEqual({ message: 'too old', reason: 'Expired', code: 410 })
	})

	test.each([
		['an empty body', new Uint8Array()],
		['an HTML page from a proxy', Buffer.from('<html>')],
	])('%s is not a Status', (_, bytes) => {
		expect(() => readStatus(bytes)).toThrow(expect.objectContaining({ code: 'SERVER_ERROR', retry: true }))
	})
})

describe('for any chunks of a byte stream', () => {
	const cuts = fc.array(fc.nat({ max: 40 }))
	const cases: [what: string, pieces: Pieces<Uint8Array | string>, put: (piece: string) => Buffer][] = [
		['its lines are the same', linesOf, piece => Buffer.from(`${piece}\n`)],
		['its frames are the same', framesOf, piece => framed(Buffer.from(piece))],
	]
	test.each(cases)('%s, and an incomplete last one is ignored', async (_, pieces, put) => {
		const words = fc.array(fc.string({ unit: fc.constantFrom('a', 'ß', '€'), minLength: 1, maxLength: 30 }))
		const one = fc.asyncProperty(words, cuts, fc.nat(), async (said, at, missing) => {
			const whole = Buffer.concat(said.map(put))
			const last = put('the last one')
			const bytes = Buffer.concat([whole, last.subarray(0, missing % last.length)])
			const read: string[] = []
			for await (const piece of pieces(chunks(bytes, at), () => {})) read.push(piece.toString())
			expect(read).toEqual(said)
		})
		await fc.assert(one)
	})
})

function named(to: PbfWriter, tag: number, name: string): void {
	to.writeMessage(tag, () => to.writeStringField(1, name), {})
}

function event(type: string, write: Write): Uint8Array {
	return written(to => {
		to.writeStringField(1, type)
		to.writeMessage(2, () => to.writeBytesField(1, enveloped(write)), {})
	})
}

function enveloped(write: Write): Uint8Array {
	return Buffer.concat([Buffer.from('k8s\0'), written(to => [named(to, 1, 'v1'), to.writeBytesField(2, written(write))])])
}

function framed(bytes: Uint8Array): Buffer {
	const length = Buffer.alloc(4)
	length.writeUInt32BE(bytes.length)
	return Buffer.concat([length, bytes])
}

function written(write: Write): Uint8Array {
	const to = new PbfWriter()
	write(to)
	return to.finish()
}
