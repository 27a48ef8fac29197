import { type CompiledQuery, type Kysely, type RawBuilder, sql } from 'kysely'
import type { NicRow, Schema } from './schema.ts'
import type { RunEach } from './sqlite.ts'

/** Writes many rows: with SQLite one prepared statement that runs for each row, with MariaDB few statements with many rows. */
export type Bulk = {
	insert<T extends Written>(db: Kysely<Schema>, table: T, rows: readonly Schema[T][]): Promise<void>
	/** Sets these columns of rows that exist. */
	update<T extends Written>(db: Kysely<Schema>, table: T, columns: readonly (keyof Schema[T])[], rows: readonly Schema[T][]): Promise<void>
	/** Sets what was reported about NICs. */
	report(db: Kysely<Schema>, nodes: readonly ReportedNics[]): Promise<void>
}

/** NICs of one node. `areAll`: the node has no others. */
export type ReportedNics = { rows: readonly NicRow[]; areAll: boolean }

const reportedColumns = ['state', 'reason', 'message', 'sent_at', 'started_at', 'settled_at'] as const

type Written = 'node' | 'nic' | 'subnet' | 'change'

const columns = {
	node: {
		key: ['provider_id', 'name'],
		others: [
			...['instance_id', 'owner_namespace', 'owner_name', 'owner_uid', 'config', 'hash', 'report', 'state', 'reason', 'letters'],
			...['revision', 'created_at', 'changed_at', 'sent_at', 'removed_at'],
		],
	},
	nic: {
		key: ['provider_id', 'node', 'id'],
		others: ['port', 'mac', 'address', 'subnet', 'state', 'reason', 'message', 'seen_at', 'sent_at', 'started_at', 'settled_at'],
	},
	subnet: { key: ['id'], others: ['name', 'cidr', 'network', 'network_name', 'mtu', 'created_at', 'modified_at', 'deleted_at'] },
	change: {
		key: ['seq'],
		others: ['at', 'actor_kind', 'actor', 'provider_id', 'node', 'nic', 'port', 'kind', 'reason', 'message', 'difference'],
	},
} as const

type Row = Readonly<Record<string, string | number | null>>

/** Compiles each statement once and runs it without Kysely: both take longer than the statement itself. */
export function createRowByRow(runEach: RunEach): Bulk {
	const compiled = new Map<string, string>()
	const run = (name: string, order: readonly string[], rows: readonly unknown[], compile: () => CompiledQuery) => {
		const known = compiled.get(name) ?? compile().sql
		compiled.set(name, known)
		runEach(
			known,
			(rows as readonly Row[]).map(row => order.map(column => row[column] ?? null)),
		)
	}
	const bulk: Bulk = {
		async insert(db, table, rows) {
			const order = [...columns[table].key, ...columns[table].others]
			run(`insert ${table}`, order, rows, () => loose(db).insertInto(table).values(anyRow(order)).compile())
		},
		async update(db, table, set, rows) {
			const { key } = columns[table]
			const changed = set as readonly string[]
			run(`update ${table} ${changed.join()}`, [...changed, ...key], rows, () => updateOf(table, changed, key).compile(db))
		},
		async report(db, nodes) {
			const areAlike = ({ rows, areAll }: ReportedNics) => areAll && rows.every(row => isReportedAlike(row, rows[0]))
			const key = ['provider_id', 'node']
			const firsts = nodes.filter(areAlike).flatMap(({ rows }) => rows.slice(0, 1))
			run('report node', [...reportedColumns, ...key], firsts, () => updateOf('nic', reportedColumns, key).compile(db))
			const others = nodes.filter(of => !areAlike(of)).flatMap(({ rows }) => rows)
			await bulk.update(db, 'nic', reportedColumns, others)
		},
	}
	return bulk
}

function updateOf(table: Written, set: readonly string[], key: readonly string[]) {
	const equals = (names: readonly string[]) => names.map(column => sql`${sql.ref(column)} = ${0}`)
	return sql`update ${sql.table(table)} set ${sql.join(equals(set))} where ${sql.join(equals(key), sql` and `)}`
}

function isReportedAlike(row: NicRow, other: NicRow | undefined): boolean {
	return reportedColumns.every(column => row[column] === other?.[column])
}

/** The most rows of one statement. */
const ROWS_MAX = 500
/**
 * The most characters of one statement, unless one row has more. MariaDB accepts packets of 16 MiB by default and of 1 MiB as older servers
 * are configured; a character has up to 4 bytes.
 */
const CHARACTERS_MAX = 1 << 18

export function createManyRows(): Bulk {
	const insert = async (db: Kysely<Schema>, table: Written, rows: readonly unknown[], set: readonly string[]) => {
		for (const values of statementsOf(rows as readonly Row[])) {
			const query = loose(db).insertInto(table).values(values)
			const updated = Object.fromEntries(set.map(column => [column, sql`values(${sql.ref(column)})`]))
			await (set.length > 0 ? query.onDuplicateKeyUpdate(updated) : query).execute()
		}
	}
	return {
		insert: (db, table, rows) => insert(db, table, rows, []),
		update: (db, table, set, rows) => insert(db, table, rows, set as readonly string[]),
		report: (db, nodes) =>
			insert(
				db,
				'nic',
				nodes.flatMap(({ rows }) => rows),
				reportedColumns,
			),
	}
}

/** Splits rows into those of one statement each. */
export function statementsOf<R extends Row>(rows: readonly R[]): R[][] {
	const statements: R[][] = []
	let characters = 0
	for (const row of rows) {
		const own = Object.values(row).reduce<number>((sum, value) => sum + (typeof value === 'string' ? value.length : 20), 0)
		const last = statements.at(-1)
		const hasRoom = last !== undefined && last.length < ROWS_MAX && characters + own <= CHARACTERS_MAX
		if (hasRoom) last.push(row)
		else statements.push([row])
		characters = hasRoom ? characters + own : own
	}
	return statements
}

/** The names of columns are checked against the tables by the contract suite, which runs every statement. */
function loose(db: Kysely<Schema>) {
	return db as unknown as Kysely<Record<string, Record<string, string | number | null | RawBuilder<unknown>>>>
}

function anyRow(order: readonly string[]): Record<string, number> {
	return Object.fromEntries(order.map(column => [column, 0]))
}
