import { expect, test } from 'vitest'
import { type Access, bearerIn, EVERY_PROVIDER, type Grant, isGranted, isJsonWebToken } from '../../../runtime/auth/access.ts'

const grant = (may: Access, ...providers: string[]): Grant => ({ may, providers })

test.each<[sentence: string, given: Grant, access: Access, providerId: string, isAllowed: boolean]>([
	['read of a named provider is granted', grant('read', 'biz'), 'read', 'biz', true],
	['read of another provider is not granted', grant('read', 'biz'), 'read', 'biz-2', false],
	['write is not included in read', grant('read', '*'), 'write', 'biz', false],
	['read is included in write', grant('write', 'a', 'biz'), 'read', 'biz', true],
	['write is included in admin', grant('admin', 'biz'), 'write', 'biz', true],
	['admin is not included in write', grant('write', '*'), 'admin', 'biz', false],
	['"*" stands for every provider', grant('write', '*'), 'write', 'biz', true],
	['what concerns all providers needs "*"', grant('admin', 'a', 'b'), 'admin', EVERY_PROVIDER, false],
	['what concerns all providers is granted by "*"', grant('admin', '*'), 'admin', EVERY_PROVIDER, true],
])('%s', (...[, given, access, providerId, isAllowed]) => {
	expect(isGranted(given, access, providerId)).toBe(isAllowed)
})

test.each<[header: string | undefined, token: string]>([
	[undefined, ''],
	['', ''],
	['Bearer', ''],
	['Bearer  ', ''],
	['Basic abc', ''],
	['Bearer abc', 'abc'],
	['bearer   abc ', 'abc'],
	['Bearer two words', 'two words'],
])('the header %j has the token "%s"', (header, token) => {
	expect(bearerIn(header)).toBe(token)
})

test.each<[token: string, isOne: boolean]>([
	['eyJh.eyJp.c2ln', true],
	['eyJh.eyJp.', false],
	['eyJh.eyJp', false],
	['a.b.c.d', false],
	['a b.c.d', false],
	['', false],
])('"%s" has the form of a JSON Web Token: %s', (token, isOne) => {
	expect(isJsonWebToken(token)).toBe(isOne)
})
