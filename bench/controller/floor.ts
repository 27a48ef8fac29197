import type { NewRun } from '../../controller/model/decision.ts'
import { runConfigMap, runInput, runJob } from '../../controller/act/job.ts'
import { NodeConfig } from '../../controller/model/node-config-kind.ts'
import type { ConfigView } from '../../controller/model/snapshot.ts'
import { startedStatus } from '../../controller/status/build-status.ts'
import { configView } from '../../controller/cache/config-view.ts'
import type { KubeClient } from '../../runtime/kube/client.ts'
import { ConfigMap, Job } from '../../runtime/kube/kinds.ts'
import { agent, world } from '../../test/controller/world.ts'
import { createConfig, each, elsewhere, specOf } from './cluster.ts'

const run: NewRun = { attempt: 1, mode: 'Apply', cause: 'SpecChanged', requests: {}, failures: 0 }

/**
 * Measures the baseline: a bare client that makes the writes of a dispatch (ConfigMap, Job, status) with the same concurrency as the
 * controller. @returns nodes per second
 */
export async function measureFloor(client: KubeClient, names: readonly string[]): Promise<number> {
	const configs = await each(names, (name, index) => createConfig(client, name, index, elsewhere))
	const began = performance.now()
	await each(configs, (config, index) => dispatch(client, configView(config), index))
	return (names.length * 1_000) / (performance.now() - began)
}

async function dispatch(client: KubeClient, config: ConfigView, index: number): Promise<void> {
	const { interfaces } = specOf(config.name, index)
	const input = runInput(config, run, { interfaces, node: undefined, agent })
	const { metadata } = await client.create(ConfigMap, runConfigMap(config, run, input))
	await client.create(Job, runJob(config, run, metadata, agent))
	const status = startedStatus(world({ config, spec: config.read.spec, specHash: '0'.repeat(64) }), { name: metadata.name, mode: 'Apply' })
	await client.patchStatus(NodeConfig, config, status)
}
