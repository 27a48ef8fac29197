import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { documentOf, fileOf, servers } from './openapi-docs.ts'

test.each(Object.entries(servers))(
	'%s is the document that the server returns (otherwise run: node test/docs/openapi-docs.ts)',
	async (path, start) => {
		expect(readFileSync(fileOf(path), 'utf8')).toBe(await documentOf(start))
	},
)
