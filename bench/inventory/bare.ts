import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { CACHE_KIB } from '../../mgmt/inventory/sqlite-file.ts'
import { viewIn } from '../../test/mgmt/inventory/samples.ts'
import type { State } from '../../contract/node-config.ts'

type Row = Record<string, SQLInputValue>

/** The baseline: prepared statements that write the same rows in the same transactions, without reading or deciding anything. */
export class Bare {
	readonly #database: DatabaseSync

	constructor(file: string) {
		this.#database = new DatabaseSync(file)
		this.#database.exec('pragma locking_mode = exclusive; pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on')
		this.#database.exec(`pragma cache_size = -${CACHE_KIB}`)
		this.#database.exec('begin immediate; commit')
	}

	/** Writes what a report of that state changes in these nodes. @returns the duration of each transaction, in milliseconds */
	report(nodes: readonly number[], state: State, perNode: number): number[] {
		const rows = nodes.map(node => this.#rowsFor(node, state, perNode))
		const statements = {
			revision: this.#database.prepare('update revision set value = value + ? where id = 1'),
			node: this.#database.prepare(
				'update node set instance_id = ?, owner_namespace = ?, owner_name = ?, owner_uid = ?, config = ?, hash = ?, report = ?, state = ?, reason = ?, letters = ?, revision = ?, changed_at = ?, sent_at = ?, removed_at = ? where provider_id = ? and name = ?',
			),
			nic: this.#database.prepare(
				'update nic set state = ?, reason = ?, message = ?, sent_at = ?, started_at = ?, settled_at = ? where provider_id = ? and node = ? and id = ?',
			),
			change: this.#database.prepare('insert into change values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)'),
		}
		const { value = 0 } = this.#database.prepare('select value from revision').get() as { value: number }
		let number = value
		const times: number[] = []
		for (let start = 0; start < rows.length; start += 50) {
			const began = performance.now()
			this.#database.exec('begin immediate')
			statements.revision.run(50 * 128)
			for (const row of rows.slice(start, start + 50)) {
				statements.node.run(...row.node(++number))
				for (const nic of row.nics) statements.nic.run(...nic)
				statements.change.run(++number, ...row.change)
			}
			this.#database.exec('commit')
			times.push(performance.now() - began)
		}
		return times
	}

	/** Reads a page of nodes with their NICs, and writes it as JSON. */
	page(after: string, limit: number): string {
		const nodes = this.#database
			.prepare("select * from node where removed_at is null and provider_id >= 'biz-1' and name > ? order by provider_id, name limit ?")
			.all(after, limit) as Row[]
		const names = nodes.map(({ name }) => name as string)
		const nics = this.#database
			.prepare(
				`select nic.*, subnet.name as subnet_name, subnet.cidr as subnet_cidr from nic left join subnet on subnet.id = nic.subnet
				where nic.provider_id = 'biz-1' and nic.node in (${names.map(() => '?').join()}) order by nic.node, nic.id`,
			)
			.all(...names)
		return JSON.stringify({ nodes, nics })
	}

	close(): void {
		this.#database.close()
	}

	#rowsFor(node: number, state: State, perNode: number) {
		const name = `worker-${node}`
		const before = this.#database.prepare("select * from node where provider_id = 'biz-1' and name = ?").get(name) as Row
		const interfaces = JSON.parse(String(before.config))
		const report = JSON.stringify(viewIn(state, node, interfaces))
		const letters = (state[0] ?? '').repeat(perNode)
		const { instance_id = null, owner_namespace = null, owner_name = null, owner_uid = null, config = null, hash = null } = before
		const same = [instance_id, owner_namespace, owner_name, owner_uid, config, hash]
		return {
			node: (revision: number): SQLInputValue[] => [
				...same,
				...[report, state, `All${state}`, letters, revision, 2_000, before.sent_at ?? null, null, 'biz-1', name],
			],
			nics: Array.from({ length: perNode }, (_, id) => [state, `All${state}`, '', 1_000, 2_000, 2_000, 'biz-1', name, id]),
			change: [2_000, 'run', `multinic-agent-${name}-g1`, 'biz-1', name, null, null, 'StateChanged', `All${state}`, `${state}`, '{}'],
		}
	}
}
