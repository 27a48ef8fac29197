import { MGMT_GROUP } from '../contract/names.ts'
import { type AccessSettings, readAccess } from '../runtime/auth/config.ts'
import { startAuth } from '../runtime/auth/start-auth.ts'
import { Failure, wordsOf } from '../runtime/errors.ts'
import { addHealth, listen } from '../runtime/http-server.ts'
import { createMetrics } from '../runtime/metrics.ts'
import { type Context, type Read, runProcess } from '../runtime/process.ts'
import { createClusters } from './cluster.ts'
import { readConfig } from './config.ts'
import type { ViolaCode } from './failures.ts'
import { createViola } from './routes.ts'
import { route } from './routing.ts'

const readers = { config: readConfig, access: (env: Context['env']): AccessSettings => readAccess('VIOLA', env) }

/** viola: receives node configs over HTTP and writes them as MultiNicNodeConfigs to their biz cluster. */
export async function main({ signal, log, env, config, access }: Context & Read<typeof readers>): Promise<void> {
	const { host, port, clusters } = config
	const metrics = createMetrics('viola')
	const open = createClusters(env, metrics.kubeCall)
	const clusterOf = async (id: string | undefined) => {
		const { providerId, target } = route(clusters, id)
		return open.cluster(providerId, target).catch(cause => {
			throw new Failure<ViolaCode>('CLUSTER_UNREACHABLE', `the cluster of provider ${providerId}: ${wordsOf(cause)}`)
		})
	}
	const onCall = metrics.kubeCall
	const { auth, close } = await startAuth(access.auth, { resource: 'nodeconfigs', group: MGMT_GROUP, log, env, signal, onCall })
	const app = createViola({ auth, tls: access.tls, clusterOf, log })
	addHealth(app, { ready: () => true, metrics: metrics.registry })
	const { address, closed } = await listen(app, { host, port }, signal)
	log.info({ address, providers: [...clusters.keys()] }, 'listening')
	await closed
	await Promise.all([open.close(), close()])
}

if (import.meta.main) await runProcess('viola', readers, main)
