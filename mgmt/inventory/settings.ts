import * as z from 'zod'
import { Bool, readEnv, Whole } from '../../runtime/env.ts'

/** The environment of the inventory. */
const Env = z
	.object({
		INVENTORY_ENABLED: Bool.default(true).describe('false: mgmt runs as if the database were lost'),
		INVENTORY_DB_PATH: z
			.string()
			.default('/var/lib/multinic-operator/inventory.json')
			.describe('SQLite file, without DB_HOST. A path that ends in .json is imported once, and the database is created beside it'),
		DB_HOST: z.string().max(253).optional().describe('MariaDB server; without it, the inventory is an SQLite file'),
		DB_PORT: Whole.pipe(z.int().min(1).max(65_535)).prefault('3306'),
		DB_USER: z.string().max(128).optional().describe('User of MariaDB; required with DB_HOST, unless DB_USER_FILE is set'),
		DB_USER_FILE: z.string().optional().describe('File with that name, such as a mounted Secret; read at each connection'),
		DB_PASSWORD: z.string().optional(),
		DB_PASSWORD_FILE: z.string().optional().describe('File with the password; read at each connection'),
		DB_NAME: z.string().max(64).default('multinic').describe('Database of MariaDB; it must exist'),
		DB_CA_FILE: z.string().optional().describe('Certificates (PEM) of the server; with it, connections use TLS; read at each connection'),
	})
	.superRefine((env, ctx) => {
		const fault = (variable: string, message: string) => ctx.addIssue({ code: 'custom', path: [variable], message })
		for (const variable of ['DB_USER', 'DB_PASSWORD'] as const)
			if (env[variable] !== undefined && env[`${variable}_FILE`] !== undefined)
				fault(variable, `must not be set together with ${variable}_FILE`)
		if (env.DB_HOST !== undefined && env.DB_USER === undefined && env.DB_USER_FILE === undefined)
			fault('DB_HOST', 'needs DB_USER or DB_USER_FILE')
	})
type Env = z.infer<typeof Env>

export type MariaSettings = {
	host: string
	port: number
	database: string
	login: MariaLogin
}

/** Values, or paths of the files that contain them. */
export type MariaLogin = { user?: string; userFile?: string; password?: string; passwordFile?: string; caFile?: string }

export type SqliteSettings = {
	path: string
	/** A file of the Go operator that is imported into a new database. */
	importFrom?: string
}

export type InventorySettings = { use: 'nothing' } | { use: 'sqlite'; sqlite: SqliteSettings } | { use: 'mariadb'; mariadb: MariaSettings }

/** @throws Failure CONFIG_INVALID that names every invalid variable and never contains a secret */
export function readInventorySettings(env: Readonly<Record<string, string | undefined>>): InventorySettings {
	const read = readEnv(Env, env)
	if (!read.INVENTORY_ENABLED) return { use: 'nothing' }
	if (read.DB_HOST === undefined) return { use: 'sqlite', sqlite: sqliteOf(read.INVENTORY_DB_PATH) }
	const { DB_HOST: host, DB_PORT: port, DB_NAME: database } = read
	return { use: 'mariadb', mariadb: { host, port, database, login: loginOf(read) } }
}

/** Returns the file of the database: the path, or beside a `.json` file the same name with `.db`. */
function sqliteOf(path: string): SqliteSettings {
	if (!path.endsWith('.json')) return { path }
	return { path: `${path.slice(0, -'.json'.length)}.db`, importFrom: path }
}

function loginOf(env: Env): MariaLogin {
	const { DB_USER: user, DB_USER_FILE: userFile, DB_PASSWORD: password, DB_PASSWORD_FILE: passwordFile, DB_CA_FILE: caFile } = env
	const all = { user, userFile, password, passwordFile, caFile }
	return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}
