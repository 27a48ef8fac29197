import { describe, expect, test } from 'vitest'
import { firstDistinct, inTurns } from '../../../agent/plan/take-turns.ts'

/** The items of several lists, interleaved. */

describe('interleaved items', () => {
	test.each<[title: string, lists: number[][], items: number[]]>([
		['of no list do not exist', [], []],
		['of empty lists do not exist', [[], []], []],
		['of one list keep their order', [[1, 2, 3]], [1, 2, 3]],
		['begin with the first item of each list', [[1, 2, 3], [4], [5, 6]], [1, 4, 5, 2, 6, 3]],
		['continue after an empty list', [[], [1, 2], [3]], [1, 3, 2]],
	])('%s', (_, lists, items) => {
		expect([...inTurns(lists)]).toEqual(items)
	})

	test('are read only when they are needed', () => {
		const read: string[] = []
		function* named(name: string) {
			for (let at = 1; at <= 3; at++) {
				read.push(`${name}${at}`)
				yield at
			}
		}
		const items = inTurns([named('a'), named('b')])
		expect([items.next().value, items.next().value, items.next().value]).toEqual([1, 1, 2])
		expect(read).toEqual(['a1', 'b1', 'a2'])
	})
})

describe('the first distinct items', () => {
	test.each<[title: string, all: object[], most: number, first: object[], isAll: boolean]>([
		['of an empty list are all', [], 1, [], true],
		['are all if there are fewer', [{ a: 1 }], 2, [{ a: 1 }], true],
		['are all if there are exactly as many', [{ a: 1 }, { a: 2 }], 2, [{ a: 1 }, { a: 2 }], true],
		['are not all if there is one more', [{ a: 1 }, { a: 2 }, { a: 3 }], 2, [{ a: 1 }, { a: 2 }], false],
		['include equal items once', [{ a: 1 }, { a: 1 }, { a: 2 }], 2, [{ a: 1 }, { a: 2 }], true],
		['are all if only equal items follow', [{ a: 1 }, { a: 2 }, { a: 1 }], 2, [{ a: 1 }, { a: 2 }], true],
		['are not all if another item follows the equal ones', [{ a: 1 }, { a: 1 }, { a: 2 }], 1, [{ a: 1 }], false],
	])('%s', (_, all, most, ...[first, isAll]) => {
		expect(firstDistinct(all, most)).toEqual({ first, isAll })
	})

	test('stop reading an endless list', () => {
		function* endless() {
			for (let at = 0; ; at++) yield at
		}
		expect(firstDistinct(endless(), 3)).toEqual({ first: [0, 1, 2], isAll: false })
	})
})
