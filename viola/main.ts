import { addHealth, listen } from '../runtime/http-server.ts'
import { KubeClient, loadCredentials } from '../runtime/kube/index.ts'
import { createMetrics, type Metrics } from '../runtime/metrics.ts'
import { type Context, type Read, runProcess } from '../runtime/process.ts'
import { createClusters } from './cluster/clusters.ts'
import { openCluster } from './cluster.ts'
import { readConfig } from './config.ts'
import { createViola } from './routes.ts'
import { route } from './targets/routing.ts'
import { createTargets } from './targets/targets.ts'

const readers = { config: readConfig }

/** viola: receives node configs over HTTP and writes them as MultiNicNodeConfigs to their biz cluster. */
export async function main({ signal, log, env, config }: Context & Read<typeof readers>): Promise<void> {
	const { host, port, token, clusters, secretsNamespace } = config
	const metrics = createMetrics('viola')
	const own = secretsNamespace === undefined ? undefined : await ownCluster(env, metrics.kubeCall)
	const secrets = own && secretsNamespace !== undefined ? { client: own, namespace: secretsNamespace } : undefined
	const targets = createTargets({ file: clusters, secrets, log, signal })
	const open = createClusters({ open: target => openCluster(target, env, metrics.kubeCall), log })
	targets.onChange(open.apply)
	const app = createViola({ token, withCluster: (id, act) => open.use(route(targets, id).providerId, act), log })
	addHealth(app, { ready: () => true, metrics: metrics.registry })
	const { address, closed } = await listen(app, { host, port }, signal)
	log.info({ address, providers: targets.all().map(({ providerId }) => providerId) }, 'listening')
	await closed
	await open.close()
	await own?.close()
}

/** Connects to the cluster in which viola runs. */
async function ownCluster(env: Context['env'], onCall: Metrics['kubeCall']): Promise<KubeClient> {
	return new KubeClient(await loadCredentials({}, env), { fieldManager: 'multinic-viola', onCall })
}

if (import.meta.main) await runProcess('viola', readers, main)
