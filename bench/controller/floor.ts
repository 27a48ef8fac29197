import { readRollout } from '../../contract/rollout.ts'
import { type AgentSettings, type NewRun, runConfigMap, runInput, runJob } from '../../controller/job.ts'
import { NodeConfig } from '../../controller/kinds.ts'
import type { ConfigView, Snapshot } from '../../controller/snapshot.ts'
import { startedStatus } from '../../controller/status.ts'
import { configView } from '../../controller/view.ts'
import type { KubeClient } from '../../runtime/kube/client.ts'
import { ConfigMap, Job } from '../../runtime/kube/kinds.ts'
import { createConfig, each, elsewhere, specOf } from './cluster.ts'

const agent: AgentSettings = {
	...{ image: 'agent', imagePullPolicy: 'IfNotPresent', imagePullSecrets: [], serviceAccount: 'multinic-agent' },
	...{ activeDeadlineSeconds: 300, waitForDeviceSeconds: 5, deadManSeconds: 120, privileged: true },
}
const run: NewRun = { attempt: 1, mode: 'Apply', cause: 'SpecChanged', asked: {}, failures: 0 }

/** A bare client that makes the writes of a dispatch, as many at once as the controller: ConfigMap, Job, status. @returns nodes a second */
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
	const status = startedStatus(snapshotOf(config, index), { name: metadata.name, mode: 'Apply' })
	await client.patchStatus(NodeConfig, config, status)
}

function snapshotOf(config: ConfigView, index: number): Snapshot {
	const settings = { keepRunMs: 3_600_000, maxConcurrentRuns: 1_000, checkInstanceId: true }
	const rollout = {
		...{ settings: readRollout(undefined), free: 1, freeRuns: 1, ahead: 0, looking: 0, lookedAt: 0, jumps: false },
		...{ controlPlaneBusy: false, stoppedBy: undefined, held: undefined },
	}
	const rest = { node: undefined, rival: undefined, runs: [], rollout, specHash: '0'.repeat(64), settings }
	return { ...rest, now: Date.now(), config, spec: { value: specOf(config.name, index) } }
}
