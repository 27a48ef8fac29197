import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { badDataContract } from './bad-data.ts'
import { inventoryContract } from './contract.ts'

const folder = mkdtempSync(join(tmpdir(), 'inventory-'))
afterAll(() => rmSync(folder, { recursive: true }))
let count = 0

inventoryContract('memory', async () => ({ use: 'sqlite', sqlite: { path: ':memory:' } }))
inventoryContract('an SQLite file', async () => ({ use: 'sqlite', sqlite: { path: join(folder, `${++count}.db`) } }))
badDataContract('memory', async () => ({ use: 'sqlite', sqlite: { path: ':memory:' } }))
