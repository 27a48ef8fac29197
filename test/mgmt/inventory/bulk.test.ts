import { expect, test } from 'vitest'
import { statementsOf } from '../../../mgmt/inventory/bulk.ts'

const row = (length: number) => ({ text: 'x'.repeat(length) })

test.each([
	['no rows', [], []],
	['few small rows', [1, 1, 1], [3]],
	['more rows than one statement has', Array<number>(1_001).fill(1), [500, 500, 1]],
	['rows that are too large together', [200_000, 50_000, 50_000, 1], [2, 2]],
	['a row that is too large alone', [1, 900_000, 1], [1, 1, 1]],
])('%s', (_, lengths, expected) => {
	expect(statementsOf(lengths.map(row)).map(rows => rows.length)).toEqual(expected)
})
