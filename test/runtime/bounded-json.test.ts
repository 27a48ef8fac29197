import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { parseBounded, readBounded } from '../../runtime/bounded-json.ts'

const wide = { bytes: 1 << 20, depth: 100, values: 100_000 }

test.each<[title: string, text: string, result: unknown]>([
	['matches the schema', '{"mtu":1450}', { value: { mtu: 1450 } }],
	['has a field of the wrong type', '{"mtu":"1450"}', { fault: 'mtu: must be a number' }],
	['is not an object', '1', { fault: 'it: Invalid input: expected object, received number' }],
	['is too large', '{"mtu":1450,"more":1450}', { fault: 'it has 24 bytes, and at most 20 are allowed' }],
	['is not JSON', '{', { fault: 'it is not JSON' }],
])('external JSON that %s', (_, text, result) => {
	expect(readBounded(text, { ...wide, bytes: 20 }, z.object({ mtu: z.number('must be a number') }))).toEqual(result)
})

describe('external JSON', () => {
	test('is parsed as JSON.parse does, and its depth and number of values are counted exactly', () => {
		fc.assert(
			fc.property(fc.jsonValue({ maxDepth: 6 }), fc.constantFrom(undefined, '\t'), (value, indent) => {
				const text = JSON.stringify(value, undefined, indent)
				const { depth, values } = shapeOf(value)
				expect(parseBounded(text, wide)).toEqual({ value: JSON.parse(text) })
				expect(parseBounded(text, { ...wide, depth, values })).toHaveProperty('value')
				if (depth > 0) expect(parseBounded(text, { ...wide, depth: depth - 1 })).toHaveProperty('fault')
				expect(parseBounded(text, { ...wide, values: values - 1 })).toHaveProperty('fault')
			}),
		)
	})

	test.each<[title: string, text: string, fault: RegExp]>([
		['too many bytes', `"${'ä'.repeat(1 << 19)}"`, /^it has 1048578 bytes, and at most 1048576 are allowed$/],
		['deeply nested lists', '['.repeat(200_000), /^it is nested 200000 levels deep, and at most 100 are allowed$/],
		['too many empty objects', `[${'{},'.repeat(60_000)}{}]`, /^it has \d+ values, and at most 100000 are allowed$/],
		['too many numbers', `[${'1,'.repeat(100_000)}1]`, /^it has 100002 values/],
		['an unterminated string', `"${'\\"'.repeat(200_000)}`, /^it is not JSON$/],
		['a missing second half', '{"a":[1,', /^it is not JSON$/],
		['only closing brackets', ']'.repeat(1_000), /^it is not JSON$/],
		['no content', '', /^it is not JSON$/],
	])('with %s is rejected', (_, text, fault) => {
		expect(parseBounded(text, wide)).toEqual({ fault: expect.stringMatching(fault) })
	})

	test('may have any number of brackets, commas and quotes in strings', () => {
		const value = ['[{,', '\\"[[', '"', '\\', '\\\\"']
		expect(parseBounded(JSON.stringify(value), { ...wide, depth: 1, values: 6 })).toEqual({ value })
	})
})

/** Returns the depth and the number of values. An empty list or object counts as if it contained one value. */
function shapeOf(value: unknown): { depth: number; values: number } {
	if (typeof value !== 'object' || value === null) return { depth: 0, values: 1 }
	const inner = Object.values(value).map(shapeOf)
	if (inner.length === 0) return { depth: 1, values: 2 }
	return { depth: 1 + Math.max(...inner.map(({ depth }) => depth)), values: 1 + inner.reduce((sum, { values }) => sum + values, 0) }
}
