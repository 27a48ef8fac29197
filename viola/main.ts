import { MGMT_GROUP } from '../contract/names.ts'
import { type AccessSettings, readAccess } from '../runtime/auth/config.ts'
import { startAuth } from '../runtime/auth/start-auth.ts'
import { addHealth, listen } from '../runtime/http-server.ts'
import { KubeClient, loadCredentials } from '../runtime/kube/index.ts'
import { createMetrics, type Metrics } from '../runtime/metrics.ts'
import { type Context, type Read, runProcess } from '../runtime/process.ts'
import { type Cluster, openCluster } from './cluster/cluster.ts'
import { type Clusters, createClusters } from './cluster/clusters.ts'
import type { Opened } from './cluster/connection.ts'
import { readConfig } from './config.ts'
import { createViolaMetrics } from './metrics.ts'
import { createViola } from './routes/routes.ts'
import { credentialsOf } from './targets/credentials.ts'
import { route } from './targets/routing.ts'
import { createTargets, type Targets } from './targets/targets.ts'

const readers = { config: readConfig, access: (env: Context['env']): AccessSettings => readAccess('VIOLA', env) }

/** viola: receives node configs over HTTP and writes them as MultiNicNodeConfigs to their biz cluster. */
export async function main({ signal, log, env, config, access }: Context & Read<typeof readers>): Promise<void> {
	const { host, port, clusters, secretsNamespace } = config
	const metrics = createMetrics('viola')
	const up = createViolaMetrics(metrics.registry)
	const own = secretsNamespace === undefined ? undefined : await ownCluster(env, metrics.kubeCall)
	const targets = createTargets({ file: clusters, secrets: own && { client: own, namespace: secretsNamespace ?? '' }, log, signal })
	const open = createClusters({
		open: async target => {
			const { providerId, namespace } = target
			const onUp = (isUp: boolean) => up.setUp(providerId, isUp)
			return openCluster({ providerId, namespace, credentials: await credentialsOf(target, env), log, onCall: metrics.kubeCall, onUp })
		},
		log,
	})
	targets.onChange(change => {
		open.apply(change)
		if (change.type === 'removed') up.forget(change.target.providerId)
	})
	const onCall = metrics.kubeCall
	const { auth, close } = await startAuth(access.auth, { resource: 'nodeconfigs', group: MGMT_GROUP, log, env, signal, onCall })
	const app = createViola({ auth, tls: access.tls, clusterOf: async (id, use) => open.borrow(route(targets, id).providerId, use), log })
	addHealth(app, { ready: () => readiness(targets, open), metrics: metrics.registry })
	const { address, closed } = await listen(app, { host, port }, signal)
	log.info({ address, providers: targets.all().map(({ providerId }) => providerId) }, 'listening')
	await closed
	await Promise.all([open.close(), close(), own?.close()])
}

/** A cluster that fails must not take the others out of service. */
function readiness(targets: Targets, open: Clusters<Cluster & Opened>): true | string {
	if (!targets.isComplete()) return 'reading the Secrets of biz clusters'
	const pending = open.all().filter(one => one.isOpening())
	return pending.length === 0 ? true : `reading the node configs of ${pending.map(({ providerId }) => providerId).join(', ')}`
}

/** Connects to the cluster in which viola runs. */
async function ownCluster(env: Context['env'], onCall: Metrics['kubeCall']): Promise<KubeClient> {
	return new KubeClient(await loadCredentials({}, env), { fieldManager: 'multinic-viola', onCall })
}

if (import.meta.main) await runProcess('viola', readers, main)
