import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { Failure } from '../runtime/errors.ts'
import { addHealth, createHttpServer, listen } from '../runtime/http-server.ts'
import { KubeClient, leadWhileElected, loadCredentials } from '../runtime/kube/index.ts'
import { createMetrics, type Metrics } from '../runtime/metrics.ts'
import { type Context, type Read, runProcess } from '../runtime/process.ts'
import { type Config, readConfig } from './config.ts'
import { type Controller, createController } from './controller.ts'
import { countDecisions } from './metrics.ts'
import { MANAGER } from './cache/config-view.ts'

const readers = { config: readConfig, credentials: (env: Context['env']) => loadCredentials({}, env) }

/** The controller: node config → Job → report → status. */
export async function main(context: Context & Read<typeof readers>): Promise<void> {
	const { signal, log, config, credentials } = context
	const metrics = createMetrics('nodeconfig', config.workers)
	const client = new KubeClient(credentials, { fieldManager: MANAGER, onCall: metrics.kubeCall })
	const onDecision = countDecisions(metrics.registry)
	const controller = createController({ client, config, log, signal, metrics, onDecision })
	const app = createHttpServer({ log })
	const ready = () => controller.isSynced() || 'the caches are not synced yet'
	addHealth(app, { ready, metrics: metrics.registry })
	const { address, closed } = await listen(app, config.listen, signal)
	log.info({ address, namespace: config.namespace, agentImage: config.agent.image }, 'listening')
	await lead(context, { client, config, controller, metrics })
	await Promise.all([closed, controller.done])
	await client.close()
}

type LeaderDeps = { client: KubeClient; config: Config; controller: Controller; metrics: Metrics }

/** A controller that loses its lease exits, and the new leader continues its unfinished work. */
async function lead({ signal, log }: Context, { client, config, controller, metrics }: LeaderDeps): Promise<void> {
	if (!config.leaderElect) return controller.run(signal)
	const identity = `${config.lease.holder || hostname()}_${randomBytes(4).toString('hex')}`
	const at = { name: config.lease.name, namespace: config.namespace }
	const callbacks = { onChange: (leads: boolean) => metrics.leading(at.name, leads), onSlowPath: () => metrics.slowPath(at.name) }
	callbacks.onChange(false) // so that a standby exports 0 instead of no series
	const { lost } = await leadWhileElected({ client, at, identity, log, signal, ...callbacks }, controller.run)
	if (lost) throw new Failure('LEASE_LOST', 'another controller is the leader, or the lease could not be renewed', { retry: true })
}

if (import.meta.main) await runProcess('controller', readers, main)
