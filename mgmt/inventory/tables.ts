import { type CreateTableBuilder, type Kysely, type RawBuilder, sql } from 'kysely'
import type { Schema } from './schema.ts'

/** The tables of the first version of the schema. */

type Table = CreateTableBuilder<string, string>
type DataType = 'integer' | 'bigint' | `varchar(${number})` | RawBuilder<unknown>
type Column = DataType | { required: DataType }
export type TableShape = { columns: Readonly<Record<string, Column>>; constrain: (table: Table) => Table }

const id = 'varchar(63)'
const name = 'varchar(253)'
const word = 'varchar(64)'
const state = 'varchar(16)'
const text = sql`mediumtext`
const time = 'bigint'

const node: TableShape = {
	columns: {
		provider_id: required(id),
		name: required(name),
		instance_id: id,
		owner_namespace: id,
		owner_name: name,
		owner_uid: id,
		config: required(text),
		hash: required(word),
		report: text,
		state: required(state),
		reason: required(word),
		letters: required('varchar(10)'),
		revision: required('bigint'),
		created_at: required(time),
		changed_at: required(time),
		sent_at: time,
		removed_at: time,
	},
	constrain: table => table.addPrimaryKeyConstraint('node_key', ['provider_id', 'name']),
}

const nic: TableShape = {
	columns: {
		provider_id: required(id),
		node: required(name),
		id: required('integer'),
		port: id,
		mac: required('varchar(17)'),
		address: 'varchar(45)',
		subnet: id,
		state: required(state),
		reason: required(word),
		message: required('varchar(256)'),
		seen_at: required(time),
		sent_at: time,
		started_at: time,
		settled_at: time,
	},
	constrain: table =>
		table
			.addPrimaryKeyConstraint('nic_key', ['provider_id', 'node', 'id'])
			.addUniqueConstraint('nic_port', ['port', 'provider_id'])
			.addForeignKeyConstraint('nic_of_node', ['provider_id', 'node'], 'node', ['provider_id', 'name']),
}

const subnet: TableShape = {
	columns: {
		id: required(id),
		name: required('varchar(255)'),
		cidr: required('varchar(49)'),
		network: required(id),
		network_name: 'varchar(255)',
		mtu: 'integer',
		created_at: required(time),
		modified_at: required(time),
		deleted_at: time,
	},
	constrain: table => table.addPrimaryKeyConstraint('subnet_key', ['id']),
}

const change: TableShape = {
	columns: {
		seq: required('bigint'),
		at: required(time),
		actor_kind: required(state),
		actor: required('varchar(320)'),
		provider_id: required(id),
		node: required(name),
		nic: 'integer',
		port: id,
		kind: required('varchar(32)'),
		reason: required(word),
		message: required('varchar(256)'),
		difference: required(text),
	},
	constrain: table => table.addPrimaryKeyConstraint('change_key', ['seq']),
}

const revision: TableShape = {
	columns: {
		id: required('integer'),
		epoch: required('varchar(36)'),
		value: required('bigint'),
		forgotten: required('bigint'),
		imported: required(word),
	},
	constrain: table => table.addPrimaryKeyConstraint('revision_key', ['id']),
}

/** In the order in which they are created: `nic` refers to `node`. */
export const tables: Readonly<Record<keyof Schema, TableShape>> = { node, nic, subnet, change, revision }

/** `if not exists` is missing in Kysely for MariaDB, so the existing indexes are read first. */
export const indexes: readonly [table: keyof Schema, name: string, columns: string[]][] = [
	['node', 'node_revision', ['revision']],
	['node', 'node_name', ['name']],
	['node', 'node_instance', ['instance_id']],
	['nic', 'nic_mac', ['mac']],
	['nic', 'nic_address', ['address']],
	['nic', 'nic_subnet', ['subnet']],
	['change', 'change_node', ['provider_id', 'node', 'seq']],
	['change', 'change_port', ['port', 'seq']],
]

/** Creates a table unless it exists. */
export async function createTable(db: Kysely<Schema>, of: keyof Schema, { columns, constrain }: TableShape): Promise<void> {
	let table: Table = db.schema.createTable(of).ifNotExists()
	for (const [column, type] of Object.entries(columns)) {
		const isRequired = typeof type === 'object' && 'required' in type
		table = table.addColumn(column, isRequired ? type.required : type, built => (isRequired ? built.notNull() : built))
	}
	const constrained = constrain(table)
	const collation = sql`engine = InnoDB default charset = utf8mb4 collate = utf8mb4_bin`
	await (isSqlite(db) ? constrained : constrained.modifyEnd(collation)).execute()
}

/** Returns whether the database is SQLite; the only other one is MariaDB. */
export function isSqlite(db: Kysely<Schema>): boolean {
	return db.getExecutor().adapter.supportsReturning === true
}

function required(type: DataType): Column {
	return { required: type }
}
