import fc from 'fast-check'
import { expect, test } from 'vitest'
import { interned } from '../../../controller/cache/intern.ts'

test('interning does not change a value after any number of earlier strings', () => {
	const one = fc.property(fc.jsonValue(), value => {
		const before = structuredClone(value)
		expect(interned(value)).toEqual(before)
	})
	fc.assert(one)
	const many = Array.from({ length: 10_000 }, (_, n) => ({ name: `node-${n % 5_000}` }))
	expect(interned(structuredClone(many))).toEqual(many)
})
