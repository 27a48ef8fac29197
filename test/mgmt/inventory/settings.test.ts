import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { readLogin } from '../../../mgmt/inventory/login.ts'
import { readInventorySettings } from '../../../mgmt/inventory/settings.ts'

const folder = mkdtempSync(join(tmpdir(), 'inventory-'))
afterAll(() => rmSync(folder, { recursive: true }))

test.each([
	[
		'nothing set: an SQLite file beside the file of the Go operator',
		{},
		'/var/lib/multinic-operator/inventory.db',
		'/var/lib/multinic-operator/inventory.json',
	],
	['a path that ends in .json', { INVENTORY_DB_PATH: '/data/nics.json' }, '/data/nics.db', '/data/nics.json'],
	['another path', { INVENTORY_DB_PATH: '/data/nics.sqlite' }, '/data/nics.sqlite', undefined],
])('%s', (_, env, path, importFrom) => {
	expect(readInventorySettings(env)).toEqual({ use: 'sqlite', sqlite: { path, ...(importFrom && { importFrom }) } })
})

test('INVENTORY_ENABLED=false uses no database, whatever else is set', () => {
	expect(readInventorySettings({ INVENTORY_ENABLED: 'false', DB_HOST: 'db', DB_USER: 'me' })).toEqual({ use: 'nothing' })
})

describe('DB_HOST', () => {
	test('uses MariaDB, on port 3306 and database multinic by default', () => {
		const settings = readInventorySettings({ DB_HOST: 'db.example.com', DB_USER: 'mgmt', DB_PASSWORD: 'p' })
		expect(settings).toMatchObject({ use: 'mariadb', mariadb: { host: 'db.example.com', port: 3306, database: 'multinic' } })
		expect(settings.use === 'mariadb' && readLogin(settings.mariadb.login)).toEqual({ user: 'mgmt', password: 'p' })
	})

	test('reads files at each connection', () => {
		const [user, password, ca] = ['user', 'password', 'ca'].map(name => join(folder, name)) as [string, string, string]
		for (const file of [user, password, ca]) writeFileSync(file, 'first\n')
		const settings = readInventorySettings({ DB_HOST: 'db', DB_USER_FILE: user, DB_PASSWORD_FILE: password, DB_CA_FILE: ca })
		if (settings.use !== 'mariadb') throw new Error('not MariaDB')
		expect(readLogin(settings.mariadb.login)).toEqual({ user: 'first', password: 'first', ca: 'first' })
		writeFileSync(password, 'second\n')
		expect(readLogin(settings.mariadb.login)).toMatchObject({ password: 'second' })
		rmSync(password)
		expect(() => readLogin(settings.mariadb.login)).toThrow(expect.objectContaining({ code: 'CredentialsUnreadable', retry: true }))
	})
})

test.each([
	[{ DB_HOST: 'db' }, 'DB_HOST: needs DB_USER or DB_USER_FILE'],
	[{ DB_HOST: 'db', DB_USER: 'a', DB_USER_FILE: '/b' }, 'DB_USER: must not be set together with DB_USER_FILE'],
	[
		{ DB_HOST: 'db', DB_USER: 'a', DB_PASSWORD: 'secret', DB_PASSWORD_FILE: '/b' },
		'DB_PASSWORD: must not be set together with DB_PASSWORD_FILE',
	],
	[{ DB_PORT: '70000' }, 'DB_PORT: '],
	[{ INVENTORY_ENABLED: 'maybe' }, 'INVENTORY_ENABLED: must be true or false'],
])('%j is refused, and no secret is shown', (env, words) => {
	expect(() => readInventorySettings(env)).toThrow(
		expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(words) }),
	)
	expect(() => readInventorySettings(env)).not.toThrow('secret')
})
