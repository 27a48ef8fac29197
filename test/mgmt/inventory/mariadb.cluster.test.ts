import { afterAll, beforeAll } from 'vitest'
import { badDataContract } from './bad-data.ts'
import { inventoryContract } from './contract.ts'
import { type MariaServer, startMariaServer } from './mariadb-server.ts'

/** Without waiting for the disk: nothing here ends the server before its time, and creating tables would take most of the time. */
const careless = ['--innodb-flush-log-at-trx-commit=0', '--innodb-flush-method=nosync', '--sync-frm=0', '--innodb-doublewrite=0']

let server: MariaServer
beforeAll(async () => {
	server = await startMariaServer(careless)
})
afterAll(() => server.stop())

inventoryContract('MariaDB', () => server.settings())
badDataContract('MariaDB', () => server.settings())
