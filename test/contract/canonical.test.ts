import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalJson, canonicalText, meanTheSame, sameJson } from '../../contract/canonical.ts'
import type { Interface } from '../../contract/interface.ts'
import { readSpec } from '../../controller/model/read-spec.ts'

const a = { id: 0, macAddress: 'fa:16:3e:37:c3:f1', address: '10.0.0.23', cidr: '10.0.0.0/24', mtu: 1450 }
const hashOf = (interfaces: unknown[]) => readSpec({ nodeName: 'worker-1', interfaces }).specHash
const digestOf = (text: string) => createHash('sha256').update(text).digest('hex')

const anyInterface = fc.record(
	{
		id: fc.integer({ min: 0, max: 9 }),
		macAddress: fc.constant(a.macAddress),
		mtu: fc.integer({ min: 1280, max: 9000 }),
		addresses: fc.array(fc.constantFrom('10.1.0.1/24', '10.2.0.1/24'), { maxLength: 2 }),
		routes: fc.array(fc.record({ to: fc.constant('10.3.0.0/16'), metric: fc.nat(9) }), { maxLength: 2 }),
		defaultRoute: fc.boolean(),
		connectedRoute: fc.boolean(),
	},
	{ requiredKeys: ['id', 'macAddress'] },
)
const anyList = fc.uniqueArray(anyInterface, { selector: ({ id }) => id, maxLength: 4 })

describe('one list of interfaces has one text', () => {
	test('whatever the order of its interfaces and of their keys', () => {
		const one = (list: readonly Interface[], seed: number) => {
			const shuffled = shuffle(list, seed) as Interface[]
			expect(canonicalText(shuffled)).toBe(canonicalText(list))
			expect(meanTheSame(shuffled, list)).toBe(true)
		}
		fc.assert(fc.property(anyList, fc.nat(), one))
	})

	test('in which a default that is written out changes nothing', () => {
		expect(canonicalText([{ ...a, name: 'multinic0', defaultRoute: false, policyRouting: true, connectedRoute: true }])).toBe(
			canonicalText([a]),
		)
	})

	test('and a list without ids has that of its positions', () => {
		const { id: _, ...bare } = a
		expect(canonicalText([bare, { macAddress: 'fa:16:3e:65:04:9e' }])).toBe(canonicalText([a, { id: 1, macAddress: 'fa:16:3e:65:04:9e' }]))
	})

	test('whose digest the controller computes, from whatever was written', () => {
		const b = { id: 1, macAddress: 'fa:16:3e:65:04:9e', mtu: 1450 }
		const shuffled = [b, Object.fromEntries(Object.entries(a).toReversed())]
		expect(hashOf(shuffled)).toBe(hashOf([a, b]))
		expect(hashOf([a, b])).toBe(digestOf(canonicalText([a, b])))
	})

	test.each<[title: string, more: Partial<Interface>]>([
		['left out', {}],
		['true', { connectedRoute: true }],
	])('which is the one that was stored before connectedRoute existed, if that is %s', (_, more) => {
		const interfaces = [{ ...a, ...more }]
		const stored = '7e238d8eb7409ab9d7b4a2613d3acaa59d7e2fdc42a76bb7221d02a16d51d81b'
		expect(hashOf(interfaces)).toBe(stored)
		expect(digestOf(canonicalText(interfaces))).toBe(stored)
	})
})

test.each<[title: string, more: Partial<Interface>, mean: boolean, texts: boolean]>([
	['an empty list of routes', { routes: [] }, true, false],
	['an empty list of addresses', { addresses: [] }, true, false],
	['another MTU', { mtu: 1400 }, false, false],
	['a route', { routes: [{ to: '10.3.0.0/16' }] }, false, false],
])('%s: whether it means the same as none, and has the same stored hash', (_, more, mean, texts) => {
	expect(meanTheSame([{ ...a, ...more }], [a])).toBe(mean)
	expect(canonicalText([{ ...a, ...more }]) === canonicalText([a])).toBe(texts)
})

describe('canonical JSON', () => {
	const anyJson = fc.jsonValue({ maxDepth: 3 })

	test('does not depend on the order of keys, at any depth', () => {
		const one = (value: unknown, seed: number) => {
			const shuffled = shuffleKeys(value, seed)
			expect(canonicalJson(shuffled)).toBe(canonicalJson(value))
			expect(sameJson(shuffled, value)).toBe(true)
		}
		fc.assert(fc.property(anyJson, fc.nat(), one))
	})

	test('depends on the order of a list', () => {
		expect(canonicalJson([1, 2])).not.toBe(canonicalJson([2, 1]))
		expect(sameJson([1, 2], [2, 1])).toBe(false)
	})

	test('has the values, and nothing without one', () => {
		const one = (value: unknown) => {
			expect(JSON.parse(canonicalJson({ value, none: undefined }))).toEqual(plain({ value }))
		}
		fc.assert(fc.property(anyJson, one))
		expect(sameJson({ a: 1, none: undefined }, { a: 1 })).toBe(true)
		expect(canonicalJson(undefined)).toBe('')
	})

	test('is the same for two values exactly if they are the same JSON', () => {
		const few = fc.jsonValue({ maxDepth: 2, stringUnit: fc.constantFrom('a', '__proto__', 'toString') })
		const one = (left: unknown, right: unknown) => {
			expect(sameJson(left, right)).toBe(canonicalJson(left) === canonicalJson(right))
		}
		fc.assert(fc.property(few, few, one))
		for (const [left, right] of [
			['{"__proto__":{}}', '{}'],
			['{"a":[]}', '{"a":{}}'],
			['{"a":null}', '{}'],
		] as const)
			one(JSON.parse(left), JSON.parse(right))
	})
})

function plain(value: unknown): unknown {
	return JSON.parse(JSON.stringify(value))
}

/** Returns the list in another order, with its keys in another order. */
function shuffle(list: readonly unknown[], seed: number): unknown[] {
	return list.map(one => shuffleKeys(one, seed)).toSorted((x, y) => rank(x, seed) - rank(y, seed))
}

/** Returns the same value with the keys of every object in another order. */
function shuffleKeys(value: unknown, seed: number): unknown {
	if (Array.isArray(value)) return value.map(one => shuffleKeys(one, seed))
	if (typeof value !== 'object' || value === null) return value
	const entries = Object.entries(value).map(([key, inner]) => [key, shuffleKeys(inner, seed)] as const)
	return Object.fromEntries(entries.toSorted(([x], [y]) => rank(x, seed) - rank(y, seed)))
}

function rank(value: unknown, seed: number): number {
	return createHash('sha256')
		.update(`${seed} ${JSON.stringify(value)}`)
		.digest()
		.readUInt32BE()
}
