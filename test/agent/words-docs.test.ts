import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { blocksIn, withBlocks } from '../docs/blocks.ts'
import { made, pages } from './agent-docs.ts'

const texts = pages.map(page => readFileSync(page, 'utf8'))

test('the pages about the agent show what the agent generates (otherwise run: node test/agent/agent-docs.ts)', async () => {
	const examples = await made()
	for (const text of texts) expect(withBlocks(text, examples)).toBe(text)
})

test('the pages about the agent show every generated example once', async () => {
	expect(texts.flatMap(blocksIn).toSorted()).toEqual(Object.keys(await made()).toSorted())
})
