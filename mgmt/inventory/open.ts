import type { Clock } from '../../runtime/clock.ts'
import { systemClock, systemTimer } from '../../runtime/clock.ts'
import { Failure, isFailure } from '../../runtime/errors.ts'
import type { Log } from '../../runtime/log.ts'
import { createBacklog } from './backlog.ts'
import { backup } from './backup.ts'
import { connectMaria, connectSqlite, type Opened } from './connect.ts'
import { disabled } from './disabled.ts'
import { importOnce } from './import.ts'
import type { Inventory, InventoryCode } from './inventory.ts'
import { Keeper } from './keeper.ts'
import type { InventoryMetrics } from './metrics.ts'
import { prune } from './prune.ts'
import { readsOf } from './reads.ts'
import type { InventorySettings } from './config.ts'
import type { BeforeStatement } from './sqlite.ts'
import { drops } from './set-aside.ts'
import { createSync } from './sync.ts'
import { Writer } from './writer.ts'

export type InventoryOptions = {
	log: Log
	metrics?: InventoryMetrics
	clock?: Clock
	/** Between two attempts to open a database that is lost. Default: 5 s. */
	retryMs?: number
	/** Of each statement of MariaDB. Default: 3 s. */
	deadlineMs?: number
	/** Is called before each statement. Only tests set it. */
	before?: BeforeStatement
}

/** How often old changes are deleted. */
const PRUNE_MS = 60 * 60 * 1_000

/** Opens the inventory. It returns immediately: until the database is open, and while it is lost, every call is refused. */
export function openInventory(settings: InventorySettings, options: InventoryOptions): Inventory {
	if (settings.use === 'nothing') return disabled()
	const { log, metrics, clock = systemClock, retryMs = 5_000, deadlineMs = 3_000, before } = options
	const backlog = createBacklog()
	const drop = drops(log, clock.now)
	const writer = new Writer()
	const keeper = new Keeper({
		connect: () => connect(settings, { deadlineMs, now: clock.now, before }),
		begin: opened => importFile(settings, opened, options),
		onAvailable: () => sync.wake(),
		...{ log, now: clock.now, retryMs, metrics },
	})
	const record: Inventory['record'] = changes => keeper.use('record', opened => writer.record(opened, changes))
	const sync = createSync({ backlog, record, retryMs, log, now: clock.now, mayWrite: () => writer.leads() })
	const pruning = every(
		PRUNE_MS,
		async () => {
			if (writer.leads() && keeper.state().state === 'available') await keeper.use('prune', ({ store }) => prune(store.db, clock.now()))
		},
		log,
	)
	return {
		...readsOf(keeper, writer),
		state: () => keeper.state(),
		opened: keeper.opened,
		lead() {
			writer.lead()
			sync.wake()
		},
		record,
		learn(changes) {
			for (const dropped of backlog.add(changes)) drop(dropped)
			sync.wake()
		},
		drained: signal => sync.drained(signal),
		backup: () =>
			keeper.use('backup', async ({ store, file }) => {
				if (file !== undefined) return backup(store.db, file)
				throw new Failure<InventoryCode>('BackupUnsupported', 'the inventory is in MariaDB: use mariadb-dump --single-transaction')
			}),
		async close() {
			pruning.stop()
			await sync.stop()
			await keeper.close()
		},
	}
}

type Used = Exclude<InventorySettings, { use: 'nothing' }>

function connect(settings: Used, options: Parameters<typeof connectSqlite>[1]): Promise<Opened> {
	return settings.use === 'sqlite' ? connectSqlite(settings.sqlite, options) : connectMaria(settings.mariadb, options)
}

/** A file that cannot be imported is reported and left as it is; the inventory then begins without it. */
async function importFile(settings: Used, { store }: Opened, { log, clock = systemClock }: InventoryOptions): Promise<void> {
	const path = settings.use === 'sqlite' ? settings.sqlite.importFrom : undefined
	if (path === undefined) return
	try {
		const imported = await importOnce(store, path, clock.now())
		if (imported) log.info({ file: path, nodes: imported.nodes, rejected: imported.rejected.slice(0, 10) }, 'imported and kept the file')
	} catch (error) {
		if (!isFailure(error, 'ImportFailed')) throw error
		log.error({ err: error, file: path }, 'the file was not imported; it is tried again at the next start')
	}
}

/** Repeats work, one at a time. A failure is logged: the next time may succeed. */
function every(ms: number, work: () => Promise<void>, log: Log): { stop: () => void } {
	let isStopped = false
	let cancel = () => {}
	const again = () => {
		if (!isStopped) cancel = systemTimer(() => void run(), ms)
	}
	const run = async () => {
		await work().catch(error => log.warn({ err: error }, 'old changes could not be deleted'))
		again()
	}
	again()
	return {
		stop() {
			isStopped = true
			cancel()
		},
	}
}
