import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { createConnection } from 'mysql2/promise'
import { type Daemon, startDaemon, until } from '../../../lab/base/daemon.ts'
import { freePort } from '../../../lab/base/free-port.ts'
import { databasePackages, unpackPackages } from '../../../lab/base/packages.ts'
import type { InventorySettings, MariaSettings } from '../../../mgmt/inventory/settings.ts'

/** A real MariaDB on a free port of 127.0.0.1, from the packages of the distribution. */
export type MariaServer = {
	/** Runs one statement as root, over a connection of its own. */
	run(statement: string): Promise<unknown>
	/** Creates an empty database, and returns the settings for it. */
	settings(): Promise<Extract<InventorySettings, { use: 'mariadb' }>>
	signal(name: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): Promise<void>
	/** Starts the server again on the same port and data, after a kill. */
	start(): Promise<void>
	stop(): Promise<void>
}

/** The tests' own user, whose password they may change. */
export const login = { user: 'mgmt', password: 'first-password' }

export async function startMariaServer(options: readonly string[] = []): Promise<MariaServer> {
	const packages = await unpackPackages(databasePackages)
	const folder = await mkdtemp(join(tmpdir(), 'multinic-mariadb-'))
	const basedir = join(packages.root, 'usr')
	const common = ['--no-defaults', '--user=root', `--basedir=${basedir}`, `--datadir=${folder}/data`]
	const install = join(basedir, 'bin/mariadb-install-db')
	await execa(install, [...common, '--auth-root-authentication-method=normal', '--skip-test-db'], { env: packages.env })
	const socket = join(folder, 'socket')
	let port = await freePort()
	let daemon: Daemon | undefined
	let count = 0

	const connect = () => createConnection({ socketPath: socket, user: 'root' })
	const run = async (statement: string) => {
		const connection = await connect()
		try {
			return (await connection.query(statement))[0]
		} finally {
			connection.destroy()
		}
	}
	const startOn = async (newPort: number) => {
		port = newPort
		const quick = ['--innodb-buffer-pool-size=64M', '--innodb-log-file-size=16M', '--skip-name-resolve', '--character-set-server=latin1']
		const place = [`--socket=${socket}`, `--port=${port}`, '--bind-address=127.0.0.1', `--pid-file=${folder}/pid`]
		const argv = [join(basedir, 'sbin/mariadbd'), ...common, ...place, ...quick, ...options] as const
		const logFile = join(folder, 'log')
		daemon = startDaemon({ name: 'mariadbd', argv: [...argv] as [string, ...string[]], logFile, env: packages.env })
		const answers = () =>
			run('select 1').then(
				() => true,
				() => false,
			)
		await until('MariaDB is ready', answers, { ended: [daemon.ended], everyMs: 50 })
	}
	await startOn(port)
	await run(`create user '${login.user}'@'%' identified by '${login.password}'`)
	await run(`grant all on *.* to '${login.user}'@'%'`)
	return {
		run,
		async settings() {
			const database = `inventory_${++count}`
			await run(`create database ${database}`)
			const mariadb: MariaSettings = { host: '127.0.0.1', port, database, login }
			return { use: 'mariadb', mariadb }
		},
		async signal(name) {
			process.kill(daemon?.pid ?? 0, name)
			if (name === 'SIGKILL') await daemon?.ended
			// each thread stops by itself, a moment after the signal
			const isStopped = async () => /^State:\tT/m.test(await readFile(`/proc/${daemon?.pid}/status`, 'utf8'))
			if (name === 'SIGSTOP') await until('MariaDB is stopped', isStopped, { everyMs: 5 })
		},
		start: () => startOn(port),
		async stop() {
			await daemon?.stop(10_000)
			await rm(folder, { recursive: true, force: true })
		},
	}
}
