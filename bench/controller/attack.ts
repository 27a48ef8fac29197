import { setTimeout as sleep } from 'node:timers/promises'
import { type AgentReport, RunConfig } from '../../contract/agent-run.ts'
import {
	CONFIG_KEY,
	LABEL_ATTEMPT,
	LABEL_CONFIG_UID,
	LABEL_GENERATION,
	LABEL_MODE,
	LABEL_NODE_NAME,
	REPORT_KEY,
} from '../../contract/names.ts'
import { ROLLOUT_STOP } from '../../contract/rollout.ts'
import { NodeConfig } from '../../controller/model/node-config-kind.ts'
import { readStops } from '../../controller/rollout/stop-record.ts'
import { reportFor } from '../../lab/cluster/fake-kubelet.ts'
import type { KubeClient } from '../../runtime/kube/client.ts'
import { ConfigMap, Event, Node, Pod } from '../../runtime/kube/kinds.ts'
import { elsewhere, namespace } from './cluster.ts'

export const HOSTILE = 'node-0'
/** Number of mirror pods that the node creates; each is 900 kB. */
const MIRRORS = 155
/** How long to wait until the rollout stops (milliseconds). */
const PATIENCE_MS = 120_000

/** What a hostile node does while other nodes are being configured. */
export type Attack = {
	begin(): void
	/**
	 * Waits until the rollout has stopped and the node is paused for that reason. Throws if this did not happen, because then there was no
	 * attack.
	 */
	end(): Promise<void>
	/** Returns the final report of the node's run, which stops the rollout. */
	lastLie(input: RunConfig): AgentReport
}

/**
 * Creates the attack's pods and Events in a namespace that the controller does not watch, to measure their cost for the API server alone.
 */
export function prepareLoad(client: KubeClient): Pick<Attack, 'begin' | 'end'> {
	const stop = new AbortController()
	let noise: Promise<unknown> = Promise.resolve()
	return {
		begin: () => {
			noise = crowd(client, elsewhere, stop.signal)
		},
		end: async () => {
			stop.abort()
			await noise
		},
	}
}

export function prepareAttack(client: KubeClient): Attack {
	const [stop, ended] = [new AbortController(), new AbortController()]
	let paused = Promise.resolve(false)
	let noise: Promise<unknown> = Promise.resolve()
	return {
		begin: () => {
			paused = pauseIt(client, AbortSignal.timeout(PATIENCE_MS))
			noise = Promise.all([lie(client, ended.signal), crowd(client, namespace, stop.signal)])
		},
		lastLie: input => {
			ended.abort()
			return rolledBack(input)
		},
		end: async () => {
			const isPaused = await paused
			stop.abort()
			ended.abort()
			await noise
			if (!isPaused) throw new Error(`${HOSTILE} did not stop the rollout within ${PATIENCE_MS / 1_000} s`)
		},
	}
}

/** Writes ten reports per second while the node's run is in progress, each invalid in a different way. */
async function lie(client: KubeClient, signal: AbortSignal): Promise<void> {
	const at = { namespace, name: `multinic-agent-${HOSTILE}-g1` }
	for (let turn = 0; !signal.aborted; turn++) {
		const { data = {} } = await client.get(ConfigMap, at).catch((): Pick<ConfigMap, 'data'> => ({}))
		const input = data[CONFIG_KEY] === undefined ? undefined : RunConfig.parse(JSON.parse(data[CONFIG_KEY]))
		const report = input && lies[turn % lies.length]?.(input, turn)
		if (report !== undefined) await client.patch(ConfigMap, at, { data: { [REPORT_KEY]: report } }).catch(() => undefined)
		await sleep(100)
	}
}

/** Invalid reports. The controller reads each as far as possible and ignores it; only the final report of the run is used. */
const lies: readonly ((input: RunConfig, turn: number) => string)[] = [
	(_, turn) =>
		`[${Array(20_000 + (turn % 1_000))
			.fill('{}')
			.join(',')}]`,
	(_, turn) => `${'['.repeat(30_000 - turn)}${']'.repeat(30_000 - turn)}`,
	() => `{${Array.from({ length: 9_000 }, (_, at) => `"${at}":1`).join(',')}}`,
	input => JSON.stringify(reportFor({ ...input, attempt: 9 }, { message: '\u001b[2J\u202e'.repeat(900) })),
	input => JSON.stringify(reportFor(input, { changes: 9e15, started: '2026-02-30T00:00:00Z' })),
	input => JSON.stringify(reportFor({ ...input, nodeName: 'node-1' })),
	(_, turn) => '"'.padEnd(65_000 - turn, '\\ud800'),
]

function rolledBack(input: RunConfig): AgentReport {
	const { interfaces, ...report } = reportFor(input, {
		outcome: 'RolledBack',
		reason: 'ConnectivityLost',
		message: '\u001b[2J\u202e'.repeat(9),
	})
	return { ...report, interfaces: interfaces.map(nic => ({ ...nic, state: 'Failed', reason: 'ConnectivityLost' })) }
}

/**
 * Creates mirror pods with the labels of other nodes' runs and Events about other nodes, and in the namespace that the controller watches
 * also gives the hostile Node a large status.
 */
async function crowd(client: KubeClient, where: string, signal: AbortSignal): Promise<void> {
	for (let turn = 0; turn < MIRRORS && !signal.aborted; turn++) {
		const victim = `node-${turn + 1}`
		const attempts = [
			client.create(Pod, mirrorPod(victim, turn, where)),
			client.create(Event, forged(victim, turn, where)),
			...(where === namespace ? [client.patchStatus(Node, { name: HOSTILE }, loud(turn))] : []),
		]
		await Promise.allSettled(attempts)
	}
}

function mirrorPod(victim: string, turn: number, where: string): Pod {
	const labels = {
		[LABEL_NODE_NAME]: victim,
		[LABEL_CONFIG_UID]: 'guessed',
		[LABEL_GENERATION]: '1',
		[LABEL_ATTEMPT]: '1',
		[LABEL_MODE]: 'Apply',
		'app.kubernetes.io/name': 'multinic-run',
		'batch.kubernetes.io/job-name': `multinic-agent-${victim}-g1`,
	}
	const annotations = { 'kubernetes.io/config.mirror': 'a', 'kubernetes.io/config.source': 'file', text: 'a'.repeat(200_000) }
	return {
		metadata: { name: `multinic-agent-${victim}-g1-${turn}`, namespace: where, labels, annotations },
		spec: { nodeName: HOSTILE, containers: [{ name: 'agent', image: 'a', args: ['a'.repeat(700_000)] }] },
	}
}

function forged(victim: string, turn: number, where: string): Event {
	return {
		metadata: { name: `multinic-agent-${victim}-g1.${turn % 2 === 0 ? 'started' : 'result'}`, namespace: where },
		involvedObject: { kind: 'MultiNicNodeConfig', name: victim, namespace: where },
		...{ reason: 'FailedCreate', message: 'a'.repeat(1_000), source: { component: 'job-controller' } },
	}
}

function loud(turn: number): object {
	const conditions = Array.from({ length: 200 }, (_, at) => ({
		type: `Condition${at}`,
		status: 'True',
		message: `${turn} ${'a'.repeat(1_000)}`,
	}))
	return {
		conditions: [...conditions, { type: 'Ready', status: 'True' }],
		addresses: [{ type: 'InternalIP', address: `10.9.${turn % 250}.1` }],
	}
}

/**
 * Pauses the node as a user would, once the controller has recorded that the node stops the rollout. The reason is not compared, because an
 * invalid report may overwrite the final report of the run. Returns false if the node did not stop the rollout before the signal was
 * aborted.
 */
async function pauseIt(client: KubeClient, signal: AbortSignal): Promise<boolean> {
	while (!signal.aborted) {
		const record = await client.find(ConfigMap, { namespace, name: ROLLOUT_STOP })
		if (readStops(record?.data).has(HOSTILE)) {
			await client.patch(NodeConfig, { namespace, name: HOSTILE }, { spec: { paused: true } })
			return true
		}
		await sleep(200)
	}
	return false
}
