import type { Kysely } from 'kysely'
import type { Opened } from './connect.ts'
import { findHits } from './find.ts'
import type { Reads } from './inventory.ts'
import type { Keeper } from './keeper.ts'
import { nicsOf } from './load.ts'
import { readChanged, readHistory, readNodes, readNodesBy, readPort, readProviders } from './read.ts'
import type { Schema } from './schema.ts'
import type { Writer } from './writer.ts'

/** The reads, each as one operation of the keeper and, where it has several statements, in one transaction. */
export function readsOf(keeper: Keeper, writer: Writer): Reads {
	const read = <T>(operation: string, work: (db: Kysely<Schema>) => Promise<T>): Promise<T> =>
		keeper.use(operation, ({ store }) => store.db.transaction().setAccessMode('read only').execute(work))
	const simply = <T>(operation: string, work: (db: Kysely<Schema>) => Promise<T>): Promise<T> =>
		keeper.use(operation, ({ store }) => work(store.db))
	return {
		idsOf: ({ providerId, nodeName }) =>
			simply('idsOf', async db => {
				const rows = await nicsOf(db, providerId, [nodeName])
				return new Map(rows.flatMap(({ port, id }) => (port === null ? [] : [[port, id] as const])))
			}),
		revision: () => keeper.use('revision', opened => writer.revision(opened)),
		nodes: (scope, filter, page) => read('nodes', db => readNodes(db, scope, filter, page)),
		nodesNamed: (scope, nodeName) => read('nodes', db => readNodesBy(db, scope, 'name', nodeName)),
		nodesOfInstance: (scope, instanceId) => read('nodes', db => readNodesBy(db, scope, 'instance_id', instanceId)),
		history: (node, page) => simply('history', db => readHistory(db, node, page)),
		port: (scope, portId) => read('port', db => readPort(db, scope, portId)),
		search: (scope, q, limit) => read('search', db => findHits(db, scope, q, limit)),
		providers: scope => simply('providers', db => readProviders(db, scope)),
		changesSince: (scope, after, limit) => keeper.use('changesSince', opened => changesSince(opened, scope, after, limit)),
	}
}

function changesSince({ store }: Opened, ...[scope, after, limit]: Parameters<Reads['changesSince']>): ReturnType<Reads['changesSince']> {
	return store.db
		.transaction()
		.setAccessMode('read only')
		.execute(async tx => {
			const { epoch, value, forgotten } = await tx.selectFrom('revision').selectAll().where('id', '=', 1).executeTakeFirstOrThrow()
			const head = { epoch, revision: value }
			if (after.epoch !== epoch || after.revision < forgotten) return { reset: true, head }
			return { items: await readChanged(tx, scope, after.revision, limit), head }
		})
}
