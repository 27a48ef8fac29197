import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { systemClock } from '../runtime/clock.ts'
import { Failure } from '../runtime/errors.ts'
import { addHealth, createHttpServer, listen } from '../runtime/http-server.ts'
import { KubeClient, leadWhileElected, loadCredentials } from '../runtime/kube/index.ts'
import { createMetrics, type Metrics } from '../runtime/metrics.ts'
import { type Context, type Read, runProcess } from '../runtime/process.ts'
import { type Config, readConfig, replicasRefusal, startWarnings } from './config.ts'
import { createHttpClients } from './http-clients.ts'
import { inventoryLine } from './inventory-condition.ts'
import { inventoryMetrics } from './inventory/metrics.ts'
import { openInventory } from './inventory/open.ts'
import { readInventorySettings } from './inventory/settings.ts'
import { createLeader, type Leader, WORKERS } from './leader.ts'

const readers = {
	config: readConfig,
	storage: readInventorySettings,
	credentials: (env: Context['env']) => loadCredentials({}, env),
}

/**
 * mgmt: sends the ports that OpenStack has attached to the VMs of an OpenstackConfig to viola, and writes the result to the status and to
 * the inventory. One of several processes leads and does that; all serve reads.
 */
export async function main(context: Context & Read<typeof readers>): Promise<void> {
	const { signal, log, config, storage, credentials } = context
	const refusal = replicasRefusal(config, storage)
	if (refusal) throw new Failure('CONFIG_INVALID', refusal)
	const metrics = createMetrics('mgmt', WORKERS)
	const client = new KubeClient(credentials, { fieldManager: 'multinic-mgmt', onCall: metrics.kubeCall })
	const inventory = openInventory(storage, { log, metrics: inventoryMetrics(metrics.registry) })
	const http = createHttpClients(log)
	const leader = createLeader({ client, config, inventory, http, log, signal, metrics, clock: systemClock })
	const app = createHttpServer({ log })
	const ready = () => leader.isSynced() || 'OpenstackConfigs are not read yet'
	addHealth(app, { ready, details: () => [inventoryLine(inventory.state())], metrics: metrics.registry })
	const { address, closed } = await listen(app, config, signal)
	log.info({ address, namespace: config.MGMT_NAMESPACE ?? 'all' }, 'watching OpenstackConfigs')
	for (const warning of startWarnings(config)) log.warn(warning)
	const namespace = config.NAMESPACE ?? credentials.namespace ?? config.MGMT_NAMESPACE ?? 'default'
	await lead(context, { client, config, leader, metrics, namespace })
	await Promise.all([closed, leader.done])
	await inventory.close()
	await http.close()
	await client.close()
}

type LeaderDeps = { client: KubeClient; config: Config; leader: Leader; metrics: Metrics; namespace: string }

/** A process that loses its lease exits, and the new leader continues its unfinished work. */
async function lead({ signal, log }: Context, { client, config, leader, metrics, namespace }: LeaderDeps): Promise<void> {
	if (!config.LEADER_ELECT) return leader.run(signal)
	const identity = `${config.POD_NAME || hostname()}_${randomBytes(4).toString('hex')}`
	const at = { name: config.LEASE_NAME, namespace }
	const callbacks = { onChange: (leads: boolean) => metrics.leading(at.name, leads), onSlowPath: () => metrics.slowPath(at.name) }
	callbacks.onChange(false) // so that a standby exports 0 instead of no series
	const { lost } = await leadWhileElected({ client, at, identity, log, signal, ...callbacks }, leader.run)
	if (lost) throw new Failure('LEASE_LOST', 'another mgmt is the leader, or the lease could not be renewed', { retry: true })
}

if (import.meta.main) await runProcess('mgmt', readers, main)
