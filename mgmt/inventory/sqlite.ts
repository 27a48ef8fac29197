import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import {
	CompiledQuery,
	type DatabaseConnection,
	type Dialect,
	type Driver,
	type QueryResult,
	SqliteAdapter,
	SqliteIntrospector,
	SqliteQueryCompiler,
	type TransactionSettings,
} from 'kysely'

/** Is called before each statement. Tests end the process here. */
export type BeforeStatement = (sql: string) => void

/**
 * Kysely's dialect for `node:sqlite`. Kysely itself lets only one user of the connection in at a time, so no query ever sees half a
 * transaction.
 *
 * @param database stays open until the dialect's driver is destroyed, and is referenced by it until then: SQLite releases the lock of a file
 *   whose handle is collected
 */
export function sqliteDialect(database: DatabaseSync, before: BeforeStatement = () => {}): { dialect: Dialect; runEach: RunEach } {
	const connection = new SqliteConnection(database, before)
	const dialect: Dialect = {
		createAdapter: () => new SqliteAdapter(),
		createDriver: () => new SqliteDriver(database, connection),
		createIntrospector: db => new SqliteIntrospector(db),
		createQueryCompiler: () => new SqliteQueryCompiler(),
	}
	return { dialect, runEach: (sql, rows) => connection.runEach(sql, rows) }
}

/** Runs a statement once for each list of parameters. To be called by the holder of the connection only, that is, in a transaction. */
export type RunEach = (sql: string, rows: Iterable<readonly unknown[]>) => void

class SqliteDriver implements Driver {
	readonly #database: DatabaseSync
	readonly #connection: SqliteConnection

	constructor(database: DatabaseSync, connection: SqliteConnection) {
		this.#database = database
		this.#connection = connection
	}

	async init(): Promise<void> {}

	async acquireConnection(): Promise<DatabaseConnection> {
		return this.#connection
	}

	async beginTransaction(_: DatabaseConnection, { accessMode }: TransactionSettings): Promise<void> {
		this.#connection.run(accessMode === 'read only' ? 'begin' : 'begin immediate')
	}

	async commitTransaction(): Promise<void> {
		this.#connection.run('commit')
	}

	async rollbackTransaction(): Promise<void> {
		// SQLite has already rolled back after some errors, such as a full disk
		if (this.#database.isTransaction) this.#connection.run('rollback')
	}

	async releaseConnection(): Promise<void> {}

	async destroy(): Promise<void> {
		this.#connection.forget()
		this.#database.close()
	}
}

/** How many prepared statements are kept. The inventory has about 40; those with a list have one for each length of it. */
const STATEMENTS_MAX = 256

/** `columns`: of the rows that it returns; empty for a statement that returns none. */
type Prepared = { statement: StatementSync; columns: readonly string[] }

class SqliteConnection implements DatabaseConnection {
	readonly #database: DatabaseSync
	readonly #before: BeforeStatement
	readonly #statements = new Map<string, Prepared>()

	constructor(database: DatabaseSync, before: BeforeStatement) {
		this.#database = database
		this.#before = before
	}

	run(sql: string): void {
		void this.#execute(CompiledQuery.raw(sql))
	}

	runEach(sql: string, rows: Iterable<readonly unknown[]>): void {
		const { statement } = this.#prepare(sql)
		for (const row of rows) {
			this.#before(sql)
			statement.run(...(row as SQLInputValue[]))
		}
	}

	async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
		return this.#execute(query)
	}

	/** Nothing in the inventory streams a query. */
	// biome-ignore lint/correctness/useYield: there is nothing to yield
	async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
		throw new Error('streaming is not supported')
	}

	forget(): void {
		this.#statements.clear()
	}

	#execute<R>({ sql, parameters }: CompiledQuery): QueryResult<R> {
		this.#before(sql)
		const { statement, columns } = this.#prepare(sql)
		const values = parameters as SQLInputValue[]
		if (columns.length > 0) return { rows: (statement.all(...values) as unknown as unknown[][]).map(row => rowOf(columns, row) as R) }
		return { rows: [], numAffectedRows: BigInt(statement.run(...values).changes) }
	}

	#prepare(sql: string): Prepared {
		const known = this.#statements.get(sql)
		if (known) return known
		const statement = this.#database.prepare(sql)
		statement.setReturnArrays(true)
		const prepared = { statement, columns: statement.columns().map(({ name }) => name) }
		const [oldest] = this.#statements.keys()
		if (oldest !== undefined && this.#statements.size >= STATEMENTS_MAX) this.#statements.delete(oldest)
		this.#statements.set(sql, prepared)
		return prepared
	}
}

/** Makes an object of a row. Those that `node:sqlite` makes are hash tables, of which a copy takes thirty times as long. */
function rowOf(columns: readonly string[], values: readonly unknown[]): Record<string, unknown> {
	const row: Record<string, unknown> = {}
	for (const [i, column] of columns.entries()) row[column] = values[i]
	return row
}
