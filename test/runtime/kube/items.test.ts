import fc from 'fast-check'
import { expect, test } from 'vitest'
import { itemsOf } from '../../../runtime/kube/items.ts'
import { chunks } from '../chunks.ts'

/** Any JSON value, including strings with brackets and quotes. */
const value = fc.jsonValue({ maxDepth: 3, stringUnit: fc.constantFrom(...'a"\\\\[]{},:ß日', '\n') }).map(withoutBackslashInKeys)
const item = fc.dictionary(fc.string({ unit: fc.constantFrom(...'a"{]') }), value)
const metadata = fc.record({ resourceVersion: fc.constantFrom('', '7'), nested: fc.dictionary(fc.constantFrom('a', 'b'), value) })
const list = fc.oneof(
	fc.record({ apiVersion: fc.constant('v1'), items: fc.array(item), kind: fc.constant('List'), metadata }),
	fc.record({ kind: fc.constant('List'), metadata, items: fc.array(item) }),
	fc.record({ metadata, items: fc.constant(null) }),
)

test('a list is parsed into its objects, in order, and the rest, with any chunks and formatting of its JSON', async () => {
	const cuts = fc.array(fc.nat({ max: 12 }))
	const one = fc.asyncProperty(list, cuts, fc.constantFrom(0, 1), async (said, at, indent) => {
		const items: unknown[] = []
		let rest = ''
		for await (const part of itemsOf(chunks(Buffer.from(JSON.stringify(said, undefined, indent)), at), () => {})) {
			items.push(...part.items.map(text => JSON.parse(text) as unknown))
			rest = part.rest ?? rest
		}
		expect(items).toEqual(asRead(said.items ?? []))
		expect(JSON.parse(rest)).toEqual(asRead({ ...said, items: said.items && [] }))
	})
	await fc.assert(one, { numRuns: 1_000 })
})

test('a truncated list is invalid', async () => {
	const whole = JSON.stringify({ items: [{ a: 1 }], metadata: {} })
	for (let length = 1; length < whole.length; length++) {
		let rest = ''
		for await (const part of itemsOf(chunks(Buffer.from(whole.slice(0, length)), []), () => {})) rest = part.rest ?? rest
		expect(() => JSON.parse(rest)).toThrow(SyntaxError)
	}
})

/**
 * Replaces the backslashes in keys. After a key that ends in a backslash, V8 mistakes other escaped keys with the same beginning for that
 * key.
 *
 * @see https://github.com/nodejs/node/issues/63785
 */
function withoutBackslashInKeys(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(withoutBackslashInKeys)
	if (typeof value !== 'object' || value === null) return value
	return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key.replaceAll('\\', '/'), withoutBackslashInKeys(inner)]))
}

/** Returns the value as JSON.parse reads it, because JSON has no -0. */
function asRead(said: unknown): unknown {
	return JSON.parse(JSON.stringify(said))
}
