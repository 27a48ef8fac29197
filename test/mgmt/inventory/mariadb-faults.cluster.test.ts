import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createConnection } from 'mysql2/promise'
import type { Inventory } from '../../../mgmt/inventory/inventory.ts'
import { openInventory } from '../../../mgmt/inventory/open.ts'
import { createLog } from '../../../runtime/log.ts'
import { login, type MariaServer, startMariaServer } from './mariadb-server.ts'
import { nics, portId, providerId, reported, sent, viewIn } from './samples.ts'
import { twoWriters } from './two-writers.ts'

/** What the inventory does while MariaDB fails, and that everything is stored once it is back. */

const log = createLog('test', { level: 'silent' })
const node = { providerId, nodeName: 'worker-1' }

let server: MariaServer
let settings: Awaited<ReturnType<MariaServer['settings']>>
let inventory: Inventory
let passwordFile: string

beforeAll(async () => {
	server = await startMariaServer()
})
afterAll(() => server.stop())
beforeEach(async () => {
	const made = await server.settings()
	passwordFile = join(mkdtempSync(join(tmpdir(), 'inventory-')), 'password')
	writeFileSync(passwordFile, login.password)
	settings = { ...made, mariadb: { ...made.mariadb, login: { user: login.user, passwordFile } } }
	inventory = openInventory(settings, { log, retryMs: 100, deadlineMs: 1_000 })
	await inventory.opened
	inventory.lead()
	await inventory.record([sent(1, nics(1, 2))])
})
afterEach(async () => {
	await inventory.close()
	rmSync(dirname(passwordFile), { recursive: true })
})

const unavailable = { code: 'Unavailable', retry: true }
const isAvailable = () => expect.poll(() => inventory.state()).toMatchObject({ state: 'available' })
const hasStored = async () => {
	expect(await inventory.drained(AbortSignal.timeout(60_000))).toBe(true)
	expect((await inventory.nodes('*', {}, { limit: 10 })).items).toMatchObject([{ state: 'Configured' }, { nodeName: 'worker-2' }])
	expect(await inventory.idsOf(node)).toEqual(new Map([0, 1].map(id => [portId(1, id), id])))
}
const learned = [reported(viewIn('Configured', 1, nics(1, 2))), sent(2, nics(2, 1))]
/** Learns changes while the database is lost. Nobody waits for them. */
const learnLost = async () => {
	inventory.learn(learned)
	expect(await inventory.drained()).toBe(false)
}

describe('MariaDB', () => {
	test('is killed, and started again', async () => {
		await server.signal('SIGKILL')
		await expect(inventory.idsOf(node)).rejects.toMatchObject(unavailable)
		expect(inventory.state()).toMatchObject({ state: 'unavailable', reason: 'Unreachable' })
		await learnLost()
		await server.start()
		await isAvailable()
		await hasStored()
	})

	test('is stopped (SIGSTOP): every call ends, and no call waits once that is known', async () => {
		await server.signal('SIGSTOP')
		try {
			await expect(inventory.idsOf(node)).rejects.toMatchObject(unavailable)
			await expect(inventory.record([sent(1, [])])).rejects.toMatchObject(unavailable)
			expect(inventory.state()).toMatchObject({ state: 'unavailable', reason: 'Unreachable' })
			await learnLost()
		} finally {
			await server.signal('SIGCONT')
		}
		await isAvailable()
		await hasStored()
	})

	test('is stopped in the middle of a transaction: nothing of it is stored', async () => {
		const broken = openInventory(settings, {
			log,
			retryMs: 100,
			deadlineMs: 1_000,
			before: sql => {
				if (sql.startsWith('insert into `change`')) void server.signal('SIGSTOP')
			},
		})
		await broken.opened
		broken.lead()
		await expect(broken.record([sent(3, nics(3, 2))])).rejects.toMatchObject(unavailable)
		await server.signal('SIGCONT')
		await broken.close()
		await isAvailable()
		expect((await inventory.nodes('*', {}, { limit: 10 })).items).toHaveLength(1)
	})

	test('is slow: a writer that does not get the lock in time gives up, and tries again later', async () => {
		const { host, port, database } = settings.mariadb
		const other = await createConnection({ host, port, database, ...login })
		await other.query('start transaction')
		await other.query('select * from revision for update')
		await expect(inventory.record(learned)).rejects.toMatchObject(unavailable)
		await learnLost()
		other.destroy()
		await isAvailable()
		await hasStored()
	})

	test('is restarted while no query runs: the next call does not notice it', async () => {
		await server.signal('SIGKILL')
		await server.start()
		inventory.learn(learned)
		await isAvailable()
		await hasStored()
	})

	test('has another password: the files with the new one are read at the next connection', async () => {
		await server.run(`alter user '${login.user}'@'%' identified by 'second-password'`)
		const ids = (await server.run('select id from information_schema.processlist where user = "mgmt"')) as { id: number }[]
		for (const { id } of ids) await server.run(`kill ${id}`)
		await expect(inventory.idsOf(node)).rejects.toMatchObject(unavailable)
		await expect.poll(() => inventory.state()).toMatchObject({ state: 'unavailable', reason: 'AccessDenied' })
		await learnLost()
		writeFileSync(passwordFile, 'second-password\n')
		await isAvailable()
		await hasStored()
		await server.run(`alter user '${login.user}'@'%' identified by '${login.password}'`)
	})

	test.each(['nic', 'change', 'subnet', 'revision'])(
		'table %s is dropped: it is made again, and what is learned is stored',
		async table => {
			const { database } = settings.mariadb
			await server.run(`drop table ${database}.\`${table}\``)
			await inventory.nodes('*', {}, { limit: 1 }).catch(() => {})
			await inventory.record([sent(1, nics(1, 2), { at: 2_000 }), ...learned]).catch(() => {})
			await isAvailable()
			inventory.learn([sent(1, nics(1, 2), { at: 3_000 }), ...learned])
			await hasStored()
		},
	)

	test('two concurrent leaders: only one writes, and every reader sees revisions in their order', async () => {
		await twoWriters(settings, 3_000)
	})
})
