import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

/** Tests docs/security.md against the tests that prove its claims. */
const page = readFileSync('docs/security.md', 'utf8')
const named = [...page.matchAll(/`(test\/[^`]+)`/g)].map(([, path = '']) => path)

test('each claim names an existing test', () => {
	expect(named.length).toBeGreaterThan(10)
	expect(named.filter(path => !existsSync(path))).toEqual([])
})

test('each row of a table that ends with "tested in" names its test', () => {
	const rows = rowsTestedIn(page.split('\n'))
	expect(rows.length).toBeGreaterThan(30)
	expect(rows.filter(row => !/`test\/[^`]+`/.test(row))).toEqual([])
})

/** Returns the last cells of the rows below the heading. */
function rowsTestedIn(lines: readonly string[]): string[] {
	let isTable = false
	return lines.flatMap(line => {
		const last = line.split('|').at(-2)?.trim() ?? ''
		const isHeading = last === 'tested in'
		isTable = isHeading || (isTable && line.startsWith('|'))
		return isTable && !isHeading && !/^-+$/.test(last) ? [last] : []
	})
}
