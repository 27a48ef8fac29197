import type { Connection } from 'mysql2/promise'
import { Failure } from '../../runtime/errors.ts'
import { readLogin } from './login.ts'
import type { MariaSettings } from './settings.ts'

/** Opens a connection. @throws the error of mysql2, or Failure CredentialsUnreadable or Timeout */
export async function connect({ host, port, database, login }: MariaSettings, deadlineMs: number): Promise<Connection> {
	const { createConnection } = await import('mysql2/promise')
	const { user, password, ca } = readLogin(login)
	const ssl = ca === undefined ? {} : { ssl: { ca, verifyIdentity: true } }
	const connecting = createConnection({ host, port, user, password, database, charset: 'utf8mb4_bin', connectTimeout: deadlineMs, ...ssl })
	// mysql2 does not count the handshake: a server that accepts and then is silent needs the second limit
	const raw = await within(deadlineMs, connecting, () => void connecting.then(late => late.destroy()).catch(() => {}))
	try {
		for (const sql of sessionSql(deadlineMs)) await within(deadlineMs, raw.query(sql), () => raw.destroy())
		return raw
	} catch (error) {
		raw.destroy()
		throw error
	}
}

/** The server has the same time limit, so it also ends statements that this side has abandoned. Text is escaped with backslashes, which one SQL mode switches off. */
function sessionSql(deadlineMs: number): string[] {
	const seconds = Math.ceil(deadlineMs / 1000)
	return [
		'set session transaction isolation level repeatable read',
		"set session sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'",
		`set session max_statement_time = ${seconds}, innodb_lock_wait_timeout = ${seconds}`,
	]
}

/** Waits for `work`. @throws Failure Timeout after `ms` milliseconds, after calling `overdue` */
export async function within<T>(ms: number, work: Promise<T>, overdue: () => void): Promise<T> {
	const { promise: late, reject } = Promise.withResolvers<never>()
	const timer = setTimeout(() => {
		overdue()
		reject(new Failure('Timeout', `MariaDB did not respond within ${ms / 1000} s`, { retry: true }))
	}, ms)
	try {
		return await Promise.race([work, late])
	} finally {
		clearTimeout(timer)
		work.catch(() => {})
	}
}
