import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

/** docs/security.md against the tests by which it claims what it claims. */
const page = readFileSync('docs/security.md', 'utf8')
const named = [...page.matchAll(/`(test\/[^`]+)`/g)].map(([, path = '']) => path)

test('each claim names a test that there is', () => {
	expect(named.length).toBeGreaterThan(10)
	expect(named.filter(path => !existsSync(path))).toEqual([])
})
