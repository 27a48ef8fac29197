import { describe, expect, test } from 'vitest'
import { type Area, hitsIn, readOddWords, tallyOf } from './prose.ts'

/** Checks the language of the project: the number of odd phrases must not grow. Lower a limit after removing some; never raise one. */

const oddWords = readOddWords()

test.each<[area: Area, atMost: number]>([
	['messages', 1.6],
	['docs', 1],
	['comments', 0.5],
	['test titles', 0.5],
])('%s have at most %f odd turns per 1,000 words', (area, atMost) => {
	const { words, hits } = tallyOf(area, oddWords)
	expect(words).toBeGreaterThan(5_000)
	const first = hits.slice(0, 20).map(({ path, found, plain }) => `${path}: "${found.trim()}" -> ${plain}`)
	expect((hits.length * 1_000) / words, first.join('\n')).toBeLessThanOrEqual(atMost)
})

describe('the list', () => {
	test.each<[text: string, found: string[]]>([
		['the run is put back, for it failed and nobody looks at it', ['nobody', ', for it', 'put back', 'looks at']],
		['The run is rolled back because no process reads it.', []],
		['It waits for the lock, for example for 5 s.', []],
	])('%s', (text, found) => {
		expect(hitsIn(text, oddWords).map(hit => hit.found)).toEqual(found)
	})

	test('each entry has a plain wording and no text that it suggests is odd', () => {
		for (const { plain, pattern } of oddWords) {
			expect(plain, String(pattern)).not.toBe('')
			expect(hitsIn(plain, oddWords), plain).toEqual([])
		}
	})
})
