import { DatabaseSync } from 'node:sqlite'
import type { KubeClient } from '../../runtime/kube/client.ts'
import { NodeConfigKind } from '../../viola/model/node-config-kind.ts'
import { type Arrivals, createRecord } from './arrivals.ts'

export type { Arrivals } from './arrivals.ts'

/** The baseline: a watch that inserts each node config as one row, in one transaction, with the same durability. */
export async function startBareWatch(client: KubeClient, namespace: string, file: string): Promise<Arrivals> {
	const database = new DatabaseSync(file)
	database.exec('pragma locking_mode = exclusive; pragma journal_mode = wal; pragma synchronous = full')
	database.exec('create table node (name text primary key, config text, report text, version text)')
	const insert = database.prepare('insert or replace into node values (?, ?, ?, ?)')
	const record = createRecord()
	const end = new AbortController()
	const { resourceVersion } = await client.list(NodeConfigKind, { namespace })
	const watching = watch()
	return {
		arrival: record.arrival,
		async close() {
			end.abort()
			await watching.catch(() => {}) // the watch ends with the reason of the signal
			database.close()
		},
	}

	async function watch(): Promise<void> {
		for await (const { type, object } of client.watch(NodeConfigKind, { namespace, resourceVersion, signal: end.signal })) {
			if (type === 'BOOKMARK') continue
			const { metadata, spec, status } = object
			insert.run(metadata.name, JSON.stringify(spec), JSON.stringify(status), metadata.resourceVersion)
			record.note(metadata.resourceVersion)
		}
	}
}
