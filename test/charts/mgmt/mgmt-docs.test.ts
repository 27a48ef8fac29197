import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { blocksIn, withBlocks } from '../../docs/blocks.ts'
import { made, page } from './mgmt-docs.ts'

test('the page has every value and every variable (otherwise run: node test/charts/mgmt/mgmt-docs.ts)', () => {
	const text = readFileSync(page, 'utf8')
	expect(blocksIn(text).toSorted()).toEqual(Object.keys(made()).toSorted())
	expect(withBlocks(text, made())).toBe(text)
})
