import { randomUUID } from 'node:crypto'
import type { Kysely } from 'kysely'
import { isFailure } from '../../runtime/errors.ts'
import type { Opened } from './connect.ts'
import type { Change } from './inventory.ts'
import { record } from './record.ts'
import type { Revision } from './records.ts'
import type { Schema } from './schema.ts'

/** Writes under its own epoch, and knows the revision while no other process can write. */
export class Writer {
	#epoch: string | undefined
	/** The database that has our epoch. */
	#claimed: Opened | undefined
	readonly #known = new WeakMap<Opened, Revision>()

	/** Begins an epoch with the next `record`. */
	lead(): void {
		this.#epoch = randomUUID()
		this.#claimed = undefined
	}

	leads(): boolean {
		return this.#epoch !== undefined
	}

	/** @throws Failure Superseded, or the error of the database */
	async record(opened: Opened, changes: readonly Change[]): Promise<void> {
		const epoch = this.#epoch
		if (epoch === undefined) throw new Error('record was called before lead')
		if (this.#claimed !== opened && (this.#claimed === undefined || opened.file !== undefined)) await this.#claim(opened, epoch)
		const onCommit = (revision: number) => this.#know(opened, { epoch, revision })
		try {
			await record(opened.store, epoch, changes, onCommit)
		} catch (error) {
			// a database that was created again has no epoch yet
			if (!isFailure(error, 'Superseded') || !(await adopt(opened.store.db, epoch))) throw error
			await record(opened.store, epoch, changes, onCommit)
		}
	}

	/** @throws the error of the database */
	async revision(opened: Opened): Promise<Revision> {
		const known = this.#known.get(opened)
		if (known) return known
		const { epoch, value } = await opened.store.db
			.selectFrom('revision')
			.select(['epoch', 'value'])
			.where('id', '=', 1)
			.executeTakeFirstOrThrow()
		const revision = { epoch, revision: value }
		this.#know(opened, revision)
		return revision
	}

	async #claim(opened: Opened, epoch: string): Promise<void> {
		const { db } = opened.store
		await db.transaction().execute(async tx => {
			await tx
				.updateTable('revision')
				.set(row => ({ epoch, value: row('value', '+', 1) }))
				.where('id', '=', 1)
				.execute()
		})
		this.#known.delete(opened)
		await this.revision(opened)
		this.#claimed = opened
	}

	/** With MariaDB another process may write, so nothing is known without asking. */
	#know(opened: Opened, revision: Revision): void {
		if (opened.file !== undefined) this.#known.set(opened, revision)
	}
}

async function adopt(db: Kysely<Schema>, epoch: string): Promise<boolean> {
	const { numUpdatedRows } = await db.updateTable('revision').set({ epoch }).where('id', '=', 1).where('epoch', '=', '').executeTakeFirst()
	return numUpdatedRows === 1n
}
