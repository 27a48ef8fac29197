import { wordsOf } from '../runtime/errors.ts'
import { addHealth, listen } from '../runtime/http-server.ts'
import { createMetrics } from '../runtime/metrics.ts'
import { type Context, type Read, runProcess } from '../runtime/process.ts'
import { createClusters } from './cluster/clusters.ts'
import { readConfig } from './config.ts'
import { createViolaMetrics } from './metrics.ts'
import { createViola } from './routes/routes.ts'
import { route } from './targets/routing.ts'

const readers = { config: readConfig }

/** viola: receives node configs over HTTP and writes them as MultiNicNodeConfigs to their biz cluster. */
export async function main({ signal, log, env, config }: Context & Read<typeof readers>): Promise<void> {
	const { host, port, token, clusters } = config
	const metrics = createMetrics('viola')
	const { setUp } = createViolaMetrics(metrics.registry)
	const open = createClusters({ env, log, onCall: metrics.kubeCall, onUp: setUp })
	const clusterOf = async (id: string | undefined) => {
		const { providerId, target } = route(clusters, id)
		return open.cluster(providerId, target)
	}
	for (const providerId of clusters.keys())
		clusterOf(providerId).catch(error => log.warn({ providerId, why: wordsOf(error) }, 'cluster not opened'))
	const app = createViola({ token, clusterOf, log })
	// a cluster that fails must not take the others out of service
	const ready = () => (open.opening().length === 0 ? true : `reading the node configs of ${open.opening().join(', ')}`)
	addHealth(app, { ready, metrics: metrics.registry })
	const { address, closed } = await listen(app, { host, port }, signal)
	log.info({ address, providers: [...clusters.keys()] }, 'listening')
	await closed
	await open.close()
}

if (import.meta.main) await runProcess('viola', readers, main)
