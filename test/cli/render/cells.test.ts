import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cellsOf, clipCells, padCells } from '../../../cli/render/cells.ts'
import { table } from '../../../cli/render/columns.ts'

describe('cells of a terminal', () => {
	test.each<[title: string, text: string, cells: number]>([
		['an empty string', '', 0],
		['ASCII', 'worker-1', 8],
		['Latin letters', 'äöü', 3],
		['Han', '連接失敗', 8],
		['Hangul', '연결 실패', 9],
		['decomposed Hangul', '\u1112\u1161\u11ab', 2],
		['Kana', 'カナかな', 8],
		['half-width Kana', 'ｶﾅ', 2],
		['full-width Latin', 'ＯＫ', 4],
		['a combining mark', 'e\u0301', 1],
		['many combining marks', `a${'\u0301'.repeat(20)}`, 1],
		['Thai with marks', 'ที่นี่', 2],
		['an emoji', '🚀', 2],
		['an emoji with a variation selector', '❤\ufe0f', 2],
		['the same character without the selector', '❤', 1],
		['an emoji with a skin tone', '👍🏽', 2],
		['a flag', '🇰🇷', 2],
		['a keycap digit', '1\ufe0f\u20e3', 1],
		['an arrow, whose width is ambiguous', '→', 1],
		['the replacement of a lone surrogate', '\ufffd', 1],
	])('%s', (_, text, cells) => {
		expect(cellsOf(text)).toBe(cells)
	})

	test.each<[text: string, cells: number, clipped: string]>([
		['worker-1', 8, 'worker-1'],
		['worker-1', 7, 'worker…'],
		['連接失敗', 8, '連接失敗'],
		['連接失敗', 7, '連接失…'],
		['連接失敗', 6, '連接…'],
		['e\u0301e\u0301e\u0301', 2, 'e\u0301…'],
		['🇰🇷🇰🇷', 3, '🇰🇷…'],
		['ab', 1, '…'],
		['ab', 0, ''],
	])('clips %s to %i cells', (text, cells, clipped) => {
		expect(clipCells(text, cells)).toBe(clipped)
	})

	test('padded text has at least the given number of cells, and clipped text at most', () => {
		const texts = fc.string({ unit: 'grapheme', maxLength: 30 })
		fc.assert(
			fc.property(texts, fc.nat(40), (text, cells) => {
				expect(cellsOf(padCells(text, cells))).toBe(Math.max(cells, cellsOf(text)))
				expect(cellsOf(clipCells(text, cells))).toBeLessThanOrEqual(cells)
			}),
		)
	})
})

test('columns are aligned with any characters', () => {
	const rows = table([
		['NODE', 'REASON', 'MESSAGE'],
		['worker-1', '연결 실패', 'a'],
		['worker-2', { text: 'e\u0301', paint: text => `<${text}>` }, 'b'],
	])
	expect(rows).toEqual(['NODE       REASON      MESSAGE', 'worker-1   연결 실패   a', 'worker-2   <e\u0301>           b'])
})
