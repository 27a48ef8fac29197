import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { blocksIn, withBlocks } from '../docs/blocks.ts'
import { made, pages } from './cli-docs.ts'

test.each(pages)('%s shows every example as the CLI prints it (otherwise run: node test/cli/cli-docs.ts)', async page => {
	const text = readFileSync(page, 'utf8')
	const examples = await made()
	expect(blocksIn(text).toSorted()).toEqual(Object.keys(examples).toSorted())
	expect(withBlocks(text, examples)).toBe(text)
})
