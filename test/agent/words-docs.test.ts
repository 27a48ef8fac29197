import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { made, page, rewritten } from './agent-docs.ts'

const text = readFileSync(page, 'utf8')

test('docs/agent.md shows what the agent generates (otherwise run: node test/agent/agent-docs.ts)', async () => {
	expect(await rewritten(text)).toBe(text)
})

test('docs/agent.md shows every generated example, and its links have targets', async () => {
	const shown = [...text.matchAll(/<!-- made: (.+) -->/g)].map(([, key]) => key)
	expect(shown.toSorted()).toEqual(Object.keys(await made()).toSorted())
	const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, words = '']) =>
		words
			.toLowerCase()
			.replace(/[^\w\s-]/g, '')
			.replace(/\s/g, '-'),
	)
	for (const [, to] of text.matchAll(/\]\(#([^)]+)\)/g)) expect(headings).toContain(to)
})
