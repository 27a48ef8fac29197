import {
	CompiledQuery,
	type DatabaseConnection,
	type Dialect,
	type Driver,
	type Kysely,
	MysqlAdapter,
	MysqlIntrospector,
	MysqlQueryCompiler,
	type QueryResult,
	type TransactionSettings,
} from 'kysely'
import type { Connection, ResultSetHeader } from 'mysql2/promise'
import { Failure } from '../../runtime/errors.ts'
import { isConnectionLoss } from './lost.ts'
import { connect, within } from './mariadb-connect.ts'
import type { MariaSettings } from './settings.ts'
import type { BeforeStatement } from './sqlite.ts'

export type MariaOptions = {
	/** Of each statement, and of opening a connection, in milliseconds. mysql2 itself waits forever for a server that is stopped. */
	deadlineMs: number
	/** The highest number of connections. */
	connections: number
	before?: BeforeStatement
}

/** Kysely's dialect for MariaDB. mysql2 is loaded with the first connection, because most installations use SQLite. */
export function mariaDialect(settings: MariaSettings, options: MariaOptions): { dialect: Dialect; connections: () => number } {
	const driver = new MariaDriver(settings, options)
	const dialect = {
		createAdapter: () => new MysqlAdapter(),
		createDriver: () => driver,
		createIntrospector: (db: Kysely<unknown>) => new MysqlIntrospector(db),
		createQueryCompiler: () => new MysqlQueryCompiler(),
	}
	return { dialect, connections: () => driver.connections() }
}

class MariaDriver implements Driver {
	readonly #settings: MariaSettings
	readonly #options: MariaOptions
	readonly #idle: MariaConnection[] = []
	readonly #open = new Set<MariaConnection>()
	readonly #waiting: (() => void)[] = []
	#busy = 0

	constructor(settings: MariaSettings, options: MariaOptions) {
		this.#settings = settings
		this.#options = options
	}

	async init(): Promise<void> {}

	async acquireConnection(): Promise<MariaConnection> {
		// everyone ahead in the queue ends within the deadline of its statements, so this wait is bounded as well
		if (this.#busy >= this.#options.connections) await new Promise<void>(resolve => this.#waiting.push(resolve))
		else this.#busy++
		const idle = this.#idle.pop()
		if (idle) return idle.reused()
		try {
			const connection = new MariaConnection(() => connect(this.#settings, this.#options.deadlineMs), this.#options)
			await connection.open()
			this.#open.add(connection)
			return connection
		} catch (error) {
			this.#passOn()
			throw error
		}
	}

	async releaseConnection(connection: DatabaseConnection): Promise<void> {
		const own = connection as MariaConnection
		if (own.isBroken()) this.#open.delete(own)
		else this.#idle.push(own)
		this.#passOn()
	}

	/** `start transaction` also takes the snapshot of a read, so a transaction costs no further round trip. */
	async beginTransaction(connection: DatabaseConnection, { accessMode }: TransactionSettings): Promise<void> {
		const sql = accessMode === 'read only' ? 'start transaction with consistent snapshot, read only' : 'start transaction'
		await connection.executeQuery(CompiledQuery.raw(sql))
	}

	async commitTransaction(connection: DatabaseConnection): Promise<void> {
		await connection.executeQuery(CompiledQuery.raw('commit'))
	}

	async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
		// the server rolls back when a connection ends
		if (!(connection as MariaConnection).isBroken()) await connection.executeQuery(CompiledQuery.raw('rollback'))
	}

	async destroy(): Promise<void> {
		for (const connection of this.#open) connection.destroy()
		this.#open.clear()
	}

	/** How many connections are open now. */
	connections(): number {
		return [...this.#open].filter(connection => !connection.isBroken()).length
	}

	#passOn(): void {
		const next = this.#waiting.shift()
		if (next) next()
		else this.#busy--
	}
}

class MariaConnection implements DatabaseConnection {
	readonly #connect: () => Promise<Connection>
	readonly #options: MariaOptions
	#raw: Connection | undefined
	/** Whether no statement was sent since it was idle, so that its end went unnoticed so far. */
	#isUnproven = false

	constructor(connect: () => Promise<Connection>, options: MariaOptions) {
		this.#connect = connect
		this.#options = options
	}

	async open(): Promise<void> {
		const raw = await this.#connect()
		raw.on('error', () => this.#drop(raw))
		raw.on('end', () => this.#drop(raw))
		this.#raw = raw
	}

	reused(): this {
		this.#isUnproven = true
		return this
	}

	isBroken(): boolean {
		return this.#raw === undefined
	}

	destroy(): void {
		this.#raw?.destroy()
		this.#raw = undefined
	}

	async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
		const isUnproven = this.#isUnproven
		this.#isUnproven = false
		if (isUnproven && !this.#raw) await this.open()
		try {
			return await this.#execute(query)
		} catch (error) {
			// the first statement begins a transaction or reads, so it may be repeated even if it did arrive
			if (!isUnproven || !isConnectionLoss(error)) throw error
			this.destroy()
			await this.open()
			return this.#execute(query)
		}
	}

	/** Nothing in the inventory streams a query. */
	// biome-ignore lint/correctness/useYield: there is nothing to yield
	async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
		throw new Error('streaming is not supported')
	}

	async #execute<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
		const raw = this.#raw
		if (!raw) throw new Failure('Timeout', 'the connection to MariaDB ended', { retry: true })
		this.#options.before?.(sql)
		const overdue = () => this.destroy()
		const [result] = await within(this.#options.deadlineMs, raw.query(sql, plain(parameters)), overdue)
		if (Array.isArray(result)) return { rows: result as R[] }
		return { rows: [], numAffectedRows: BigInt((result as ResultSetHeader).affectedRows ?? 0) }
	}

	#drop(raw: Connection): void {
		if (this.#raw === raw) this.#raw = undefined
	}
}

/**
 * Passes on text, numbers and null, which mysql2 escapes. Of an object it would make a list of assignments.
 */
function plain(parameters: readonly unknown[]): unknown[] {
	return parameters.map(value => {
		if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint') return value
		throw new TypeError(`a parameter of a statement has type ${typeof value}`)
	})
}
