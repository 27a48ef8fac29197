import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { InventoryState } from '../../../mgmt/inventory/inventory.ts'
import { openInventory } from '../../../mgmt/inventory/open.ts'
import { createLog } from '../../../runtime/log.ts'
import { login, type MariaServer, startMariaServer } from './mariadb-server.ts'

/** DB_CA_FILE: connections use TLS, and only a server with a certificate of that authority for its own name is accepted. */

const log = createLog('test', { level: 'silent' })
const folder = mkdtempSync(join(tmpdir(), 'inventory-'))
let server: MariaServer
let misnamed: MariaServer
beforeAll(async () => {
	for (const name of ['localhost', 'elsewhere']) await selfSigned(name)
	const secure = (name: string) => [`--ssl-cert=${folder}/${name}.crt`, `--ssl-key=${folder}/${name}.key`, '--require-secure-transport=on']
	server = await startMariaServer(secure('localhost'))
	misnamed = await startMariaServer(secure('elsewhere'))
})
afterAll(async () => {
	await server.stop()
	await misnamed.stop()
	rmSync(folder, { recursive: true })
})

async function openWith(of: MariaServer, ca: string | undefined): Promise<InventoryState> {
	const { mariadb } = await of.settings()
	const settings = { ...mariadb, host: 'localhost', login: { ...login, ...(ca !== undefined && { caFile: join(folder, ca) }) } }
	const inventory = openInventory({ use: 'mariadb', mariadb: settings }, { log })
	await inventory.opened
	const state = inventory.state()
	await inventory.close()
	return state
}

test('the certificate of the server is accepted', async () => {
	expect(await openWith(server, 'localhost.crt')).toMatchObject({ state: 'available' })
})

test.each([
	['a certificate that is not of that authority', () => openWith(server, 'elsewhere.crt'), 'self-signed certificate'],
	['a certificate for another name', () => openWith(misnamed, 'elsewhere.crt'), 'does not match certificate'],
	['no TLS, which the server requires', () => openWith(server, undefined), 'Access denied'],
])('refused: %s', async (_, open, words) => {
	expect(await open()).toMatchObject({ state: 'unavailable', message: expect.stringContaining(words) })
})

async function selfSigned(name: string): Promise<void> {
	const out = ['-keyout', `${folder}/${name}.key`, '-out', `${folder}/${name}.crt`]
	const what = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`, '-days', '2']
	await execa('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', ...what, ...out])
}
