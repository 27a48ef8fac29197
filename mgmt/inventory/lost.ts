import { codeOf, isFailure, wordsOf } from '../../runtime/errors.ts'
import type { LostReason } from './inventory.ts'

/** What an error of a database means for the inventory. */

/** The primary result codes of SQLite. @see https://www.sqlite.org/rescode.html */
const sqlite = { BUSY: 5, LOCKED: 6, READONLY: 8, CORRUPT: 11, FULL: 13, NOTADB: 26 } as const

const sqliteReasons: Readonly<Record<number, LostReason>> = {
	[sqlite.BUSY]: 'Locked',
	[sqlite.LOCKED]: 'Locked',
	[sqlite.READONLY]: 'ReadOnly',
	[sqlite.FULL]: 'DiskFull',
}

const reasons: Readonly<Record<string, LostReason>> = {
	ER_ACCESS_DENIED_ERROR: 'AccessDenied',
	ER_ACCESS_DENIED_NO_PASSWORD_ERROR: 'AccessDenied',
	ER_DBACCESS_DENIED_ERROR: 'AccessDenied',
	ER_TABLEACCESS_DENIED_ERROR: 'AccessDenied',
	CredentialsUnreadable: 'AccessDenied',
	ER_DISK_FULL: 'DiskFull',
	ER_RECORD_FILE_FULL: 'DiskFull',
	ENOSPC: 'DiskFull',
	ER_OPTION_PREVENTS_STATEMENT: 'ReadOnly',
	ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION: 'ReadOnly',
	EROFS: 'ReadOnly',
	ER_LOCK_WAIT_TIMEOUT: 'Locked',
	ER_LOCK_DEADLOCK: 'Locked',
	Timeout: 'Unreachable',
}

/** Codes of errors that end a connection to MariaDB: those of the network, of mysql2, and some of the server. */
const isOfConnection =
	/^(ECONN|ETIMEDOUT|EPIPE|EHOST|ENET|ENOTFOUND|EAI_|PROTOCOL_|HANDSHAKE_|ER_(SERVER_SHUTDOWN|CON_COUNT_ERROR|NORMAL_SHUTDOWN|NEW_ABORTING_CONNECTION)$)/

/** Codes of SQLite for a value that it does not accept: TOOBIG, CONSTRAINT, MISMATCH, RANGE. */
const sqliteRefusals: readonly (number | undefined)[] = [18, 19, 20, 25]

/** Codes of MariaDB and mysql2 for a value or a row that is not accepted. */
const isRefusal =
	/^(ER_(DATA_TOO_LONG|DUP_(ENTRY|KEY|UNIQUE).*|BAD_NULL_ERROR|CONSTRAINT_FAILED|(NO_REFERENCED_ROW|ROW_IS_REFERENCED)(_2)?|WARN_DATA_OUT_OF_RANGE|TRUNCATED_WRONG_VALUE(_FOR_FIELD)?|NET_PACKET_TOO_LARGE|TOO_BIG_ROWSIZE|CANNOT_CONVERT_CHARACTER)|WARN_DATA_TRUNCATED)$/

/** Returns whether the database works, but does not accept the data of the statement. The same data fails again at any time. */
export function isRefusedData(error: unknown): boolean {
	return sqliteRefusals.includes(sqliteCode(error) ?? 0) || isRefusal.test(codeOf(error))
}

/**
 * Returns why the database cannot be used after this error, or undefined if the error does not come from the database, or only the data is
 * wrong.
 */
export function lostBy(error: unknown): { reason: LostReason; message: string } | undefined {
	if (!isOfDatabase(error)) return undefined
	return { reason: reasonOf(error), message: wordsOf(error) }
}

/** Returns whether the file is not a database, or its content is damaged. */
export function isDamage(error: unknown): boolean {
	if (error instanceof Error && error.name === 'Damaged') return true
	const code = sqliteCode(error)
	return code === sqlite.CORRUPT || code === sqlite.NOTADB
}

/** Returns whether the connection ended, so that a statement that was never sent may be repeated on another one. */
export function isConnectionLoss(error: unknown): boolean {
	// mysql2 sets `fatal` on every error that ends its connection, and gives this one no code
	const isFatal = error instanceof Error && 'fatal' in error && error.fatal === true
	return isFatal || isOfConnection.test(codeOf(error)) || wordsOf(error).includes('closed state')
}

/** Returns whether only writes fail, so that reads may continue on the same connection. */
export function onlyWritesFail(reason: LostReason): boolean {
	return reason === 'DiskFull' || reason === 'ReadOnly' || reason === 'Locked'
}

function isOfDatabase(error: unknown): boolean {
	if (isFailure(error)) return error.code in reasons
	if (!(error instanceof Error) || isRefusedData(error)) return false
	return error.name === 'Damaged' || isUnreadable(error) || sqliteCode(error) !== undefined || 'errno' in error || isConnectionLoss(error)
}

/** Returns whether `node:sqlite` cannot return a number of a row. The row is repaired when the database is opened again. */
function isUnreadable(error: Error): boolean {
	return codeOf(error) === 'ERR_OUT_OF_RANGE' && error.message.includes('JavaScript number')
}

function reasonOf(error: unknown): LostReason {
	const code = sqliteCode(error)
	if (code !== undefined) return sqliteReasons[code] ?? 'DatabaseError'
	return reasons[codeOf(error)] ?? (isConnectionLoss(error) ? 'Unreachable' : 'DatabaseError')
}

function sqliteCode(error: unknown): number | undefined {
	if (typeof error !== 'object' || error === null || !('errcode' in error) || typeof error.errcode !== 'number') return undefined
	return error.errcode & 0xff
}
