import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { erd } from '../../../mgmt/inventory/erd.ts'

test('docs/erd.md is what a migrated database has; `node mgmt/inventory/erd.ts` writes it', async () => {
	expect(readFileSync('docs/erd.md', 'utf8')).toBe(await erd())
})
