import { sameJson } from '../contract/canonical.ts'
import { systemClock } from '../runtime/clock.ts'
import { addHealth, createHttpServer, listen } from '../runtime/http-server.ts'
import { KubeClient, loadCredentials } from '../runtime/kube/index.ts'
import { runLoop } from '../runtime/loop.ts'
import { createMetrics } from '../runtime/metrics.ts'
import { type Context, type Read, runProcess } from '../runtime/process.ts'
import { createQueue, LOW_PRIORITY } from '../runtime/queue.ts'
import { readConfig, startWarnings } from './config.ts'
import { fairly } from './fair.ts'
import { createHttpClients } from './http-clients.ts'
import type { OpenstackConfig } from './kind.ts'
import { createTokens } from './openstack/tokens.ts'
import { reconcileOpenstackConfig } from './reconcile.ts'
import { watchConfigs } from './watch.ts'

const readers = { config: readConfig, credentials: (env: Context['env']) => loadCredentials({}, env) }

/** mgmt: sends the ports that OpenStack has attached to the VMs of an OpenstackConfig to viola, and writes the result to the status. */
export async function main({ signal, log, config, credentials }: Context & Read<typeof readers>): Promise<void> {
	const metrics = createMetrics('mgmt', WORKERS)
	const client = new KubeClient(credentials, { fieldManager: 'multinic-mgmt', onCall: metrics.kubeCall })
	const queue = createQueue({ metrics: metrics.queue })
	metrics.observe(queue)
	const configs = watchConfigs({
		...{ client, namespaces: config.MGMT_NAMESPACE, log, signal },
		onChange: (key, now, before, backlog) => changedByPeople(now, before) && queue.add(key, { priority: backlog ? LOW_PRIORITY : 0 }),
	})
	const http = createHttpClients(log)
	const app = createHttpServer({ log })
	addHealth(app, { ready: () => configs.isSynced() || 'OpenstackConfigs are not read yet', metrics: metrics.registry })
	const { address, closed } = await listen(app, config, signal)
	log.info({ address, namespaces: config.MGMT_NAMESPACE ?? 'all' }, 'watching OpenstackConfigs')
	for (const warning of startWarnings(config)) log.warn(warning)
	const tokens = createTokens(systemClock)
	const reconcile = reconcileOpenstackConfig({
		client,
		all: configs.values,
		env: config,
		http,
		tokens,
		log,
		clock: systemClock,
		chance: Math.random,
	})
	const fair = fairly(reconcile, key => queue.add(key))
	await runLoop({ queue, reconcile: fair, workers: WORKERS, log, signal, metrics: metrics.loop })
	await Promise.all([closed, configs.done])
	await http.close()
	await client.close()
}

/** Number of OpenstackConfigs that are reconciled concurrently. Almost all of the time is spent waiting for remote systems. */
const WORKERS = 16

/** Whether a user changed the object. Status writes of mgmt itself must not trigger a reconcile. */
function changedByPeople(now: OpenstackConfig | undefined, before: OpenstackConfig | undefined): boolean {
	if (!now || !before) return true
	const { generation, deletionTimestamp, annotations } = now.metadata
	const was = before.metadata
	return generation !== was.generation || deletionTimestamp !== was.deletionTimestamp || !sameJson(annotations, was.annotations)
}

if (import.meta.main) await runProcess('mgmt', readers, main)
