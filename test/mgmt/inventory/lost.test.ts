import { expect, test } from 'vitest'
import { isRefusedData, lostBy } from '../../../mgmt/inventory/lost.ts'

const maria = (code: string, more: object = {}) => Object.assign(new Error(code), { code, errno: 1, ...more })
const sqlite = (errcode: number) => Object.assign(new Error(`sqlite ${errcode}`), { code: 'ERR_SQLITE_ERROR', errcode })

test.each([
	['a value that is too long', maria('ER_DATA_TOO_LONG')],
	['a key that exists', maria('ER_DUP_ENTRY')],
	['a row without the row to which it refers', maria('ER_NO_REFERENCED_ROW_2')],
	['a packet that is too large', maria('ER_NET_PACKET_TOO_LARGE', { fatal: true })],
	['a number out of range', maria('ER_WARN_DATA_OUT_OF_RANGE')],
	['a constraint of SQLite', sqlite(19)],
	['a unique constraint of SQLite', sqlite(2067)],
	['a value that is too large for SQLite', sqlite(18)],
])('%s: the database is not lost', (_, error) => {
	expect([isRefusedData(error), lostBy(error)]).toEqual([true, undefined])
})

test.each([
	['a server that ends', maria('PROTOCOL_CONNECTION_LOST'), 'Unreachable'],
	['a table that is gone', maria('ER_NO_SUCH_TABLE'), 'DatabaseError'],
	['a full disk', sqlite(13), 'DiskFull'],
	['a locked file', sqlite(5), 'Locked'],
])('%s: the database is lost', (_, error, reason) => {
	expect([isRefusedData(error), lostBy(error)]).toMatchObject([false, { reason }])
})
