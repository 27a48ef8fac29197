import { sleep } from '../../runtime/clock.ts'
import { Failure, isFailure, wordsOf } from '../../runtime/errors.ts'
import type { Log } from '../../runtime/log.ts'
import type { Opened } from './connect.ts'
import type { InventoryCode, InventoryState, LostReason } from './inventory.ts'
import { lostBy, onlyWritesFail } from './lost.ts'
import type { InventoryMetrics } from './metrics.ts'

export type KeeperOptions = {
	connect: () => Promise<Opened>
	/** Runs when the database was opened, before anything else uses it. */
	begin: (opened: Opened) => Promise<void>
	/** Is called each time the database becomes available. */
	onAvailable: () => void
	log: Log
	now: () => number
	/** The time between two attempts, in milliseconds. */
	retryMs: number
	metrics?: InventoryMetrics | undefined
}

type Lost = { reason: LostReason; message: string }

/** Keeps a database open: opens it, notices that it is lost, and tries again until it is back. */
export class Keeper {
	readonly #options: KeeperOptions
	readonly #stop = new AbortController()
	/** Settles after the first attempt to open the database. */
	readonly opened: Promise<void>
	readonly #ended: Promise<void>
	#opened: Opened | undefined
	#state: Exclude<InventoryState, { state: 'disabled' }>
	/** The last damage that was found, which is reported until the process ends. */
	#replaced: { file: string; why: string; at: number } | undefined

	constructor(options: KeeperOptions) {
		this.#options = options
		this.#state = { state: 'unavailable', since: options.now(), reason: 'Opening', message: 'the database is being opened' }
		options.metrics?.connections(() => this.#opened?.connections() ?? 0)
		this.opened = this.#attempt()
		this.#ended = this.opened.then(() => this.#keepTrying())
	}

	state(): InventoryState {
		return this.#state
	}

	/** Runs one operation. An error of an operation whose database was closed meanwhile says only that. @throws Failure Unavailable if the database is lost, before or during the operation */
	async use<T>(operation: string, work: (opened: Opened) => Promise<T>): Promise<T> {
		const current = this.#opened
		if (!current) throw unavailable(this.#state)
		const began = performance.now()
		const end = (outcome: 'ok' | 'failed') => this.#options.metrics?.operation(operation, outcome, (performance.now() - began) / 1_000)
		try {
			const result = await work(current)
			end('ok')
			return result
		} catch (error) {
			end('failed')
			const isClosed = this.#opened !== current
			const lost: Lost | undefined =
				lostBy(error) ?? (isClosed && !isFailure(error) ? { reason: 'DatabaseError', message: wordsOf(error) } : undefined)
			if (!lost) throw error
			if (!isClosed) await this.#lose(lost, current)
			throw unavailable(lost, error)
		}
	}

	async close(): Promise<void> {
		this.#stop.abort()
		await this.#ended
		if (this.#opened) await this.#drop(this.#opened)
		this.#state = { state: 'unavailable', since: this.#options.now(), reason: 'Opening', message: 'the inventory is closed' }
	}

	async #keepTrying(): Promise<void> {
		while (await sleep(this.#options.retryMs, this.#stop.signal)) if (this.#state.state === 'unavailable') await this.#attempt()
	}

	async #attempt(): Promise<void> {
		const current = this.#opened
		try {
			await (current ? probe(current) : this.#open())
			if (this.#opened) this.#gain()
		} catch (error) {
			const lost = lostBy(error)
			if (!lost) this.#options.log.error({ err: error }, 'the inventory cannot be opened')
			await this.#lose(lost ?? { reason: 'DatabaseError', message: String(error) }, current)
		}
	}

	async #open(): Promise<void> {
		const { connect, begin, log, now } = this.#options
		const next = await connect()
		if (next.replaced) {
			this.#replaced = { ...next.replaced, at: now() }
			log.error(next.replaced, 'the inventory was damaged: its file was kept under another name, and it is rebuilt from nothing')
		}
		try {
			await begin(next)
		} catch (error) {
			await next.close()
			throw error
		}
		if (this.#stop.signal.aborted) await next.close()
		else this.#opened = next
	}

	#gain(): void {
		const { log, now, onAvailable } = this.#options
		const since = now()
		if (this.#state.state === 'unavailable') log.info({ lostForMs: since - this.#state.since }, 'the inventory is available')
		this.#state = { state: 'available', since, ...(this.#replaced && { replaced: this.#replaced }) }
		onAvailable()
	}

	/** A database whose writes fail stays open for reads, until a probe shows that writes succeed again. */
	async #lose({ reason, message }: Lost, from: Opened | undefined): Promise<void> {
		const { log, now } = this.#options
		const before = this.#state
		if (before.state === 'available' || before.reason !== reason)
			log.warn({ reason, cause: message }, 'the inventory is unavailable; ids come from the biz clusters until it is back')
		this.#state = { state: 'unavailable', since: before.state === 'unavailable' ? before.since : now(), reason, message }
		if (from && !onlyWritesFail(reason)) await this.#drop(from)
	}

	async #drop(from: Opened): Promise<void> {
		if (this.#opened === from) this.#opened = undefined
		await from.close().catch(error => this.#options.log.warn({ err: error }, 'the database could not be closed'))
	}
}

async function probe({ store }: Opened): Promise<void> {
	await store.db.updateTable('revision').set({ id: 1 }).where('id', '=', 1).execute()
}

function unavailable(why: InventoryState | Lost, cause?: unknown): Failure<InventoryCode> {
	const { reason, message } = 'reason' in why ? why : { reason: 'Opening', message: 'the database is being opened' }
	return new Failure('Unavailable', `the inventory is unavailable (${reason}): ${message}`, { retry: true, facts: { reason }, cause })
}
