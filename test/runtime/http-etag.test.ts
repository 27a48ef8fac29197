import { expect, test } from 'vitest'
import { etagOf, isNoneMatch } from '../../runtime/http-etag.ts'

test.each<[header: string | undefined, isMatch: boolean]>([
	[undefined, false],
	['', false],
	['*', true],
	[' * ', true],
	['"a"', true],
	['W/"a"', true],
	['"b", W/"a"', true],
	['"b","a"', true],
	['"b"', false],
	['"A"', false],
	['a', false],
	['"b, "a', false],
	['"*"', false],
])('If-None-Match: %s', (header, isMatch) => {
	expect(isNoneMatch(header, '"a"')).toBe(isMatch)
})

test('an ETag differs if a part differs', () => {
	const all = [
		['biz', {}, 'd'],
		['biz', { limit: 1 }, 'd'],
		['other', {}, 'd'],
		['biz', {}, 'e'],
		['biz', { nodeName: ['a'] }, 'd'],
	]
	expect(new Set(all.map(parts => etagOf(...parts))).size).toBe(all.length)
	expect(etagOf('biz')).toMatch(/^"[\w-]{32}"$/)
})
