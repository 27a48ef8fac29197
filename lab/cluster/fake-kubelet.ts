import { type AgentReport, RunConfig } from '../../contract/agent-run.ts'
import { CONFIG_KEY, LABEL_CONFIG_UID, REPORT_KEY } from '../../contract/names.ts'
import { sleep } from '../../runtime/clock.ts'
import { ConfigMap, endOf, isKubeFailure, Job, type KubeClient, startReflector, type Stored } from '../../runtime/kube/index.ts'
import type { Log } from '../../runtime/log.ts'

export type FakeKubeletOptions = {
	/** Must be allowed to watch Jobs, to read and patch ConfigMaps, and to patch the status of Jobs. */
	client: KubeClient
	namespace: string
	log: Log
	/** Returns the duration of a run in milliseconds, or a promise of it, which the run awaits. Default: 0. */
	runMs?: (input: RunConfig) => number | Promise<number>
	/** Returns the report of a run, or undefined to let the run fail without a report. Default: every desired interface is configured. */
	report?: (input: RunConfig) => AgentReport | undefined
}

export type FakeKubelet = {
	/** The inputs of all runs that were started, in order. */
	readonly ran: readonly RunConfig[]
	stop(): Promise<void>
}

/**
 * Completes the agent's Jobs as nodes would, but without pods: immediately or after `runMs`. For fleets larger than any machine can host.
 */
export function startFakeKubelet(options: FakeKubeletOptions): FakeKubelet {
	const { client, namespace, log } = options
	const stop = new AbortController()
	const ran: RunConfig[] = []
	const started = new Set<string>()
	const onChange = (_: string, job: Stored<Job> | undefined) => {
		if (!job || started.has(job.metadata.uid) || endOf(job) !== undefined) return
		started.add(job.metadata.uid)
		const { name } = job.metadata
		completeRun(options, { name, onStart: input => ran.push(input), signal: stop.signal }).catch(error => {
			if (!stop.signal.aborted && !isKubeFailure(error, 'NOT_FOUND')) log.error({ err: error, job: name }, 'a simulated run failed')
		})
	}
	const labelSelector = LABEL_CONFIG_UID
	const { done } = startReflector({ client, kind: Job, namespace, labelSelector, log, signal: stop.signal, onChange })
	return {
		ran,
		stop: async () => {
			stop.abort()
			await done
		},
	}
}

type Task = { name: string; onStart: (input: RunConfig) => void; signal: AbortSignal }

async function completeRun(options: FakeKubeletOptions, { name, onStart, signal }: Task): Promise<void> {
	const { client, namespace, runMs = () => 0, report = reportFor } = options
	const at = { namespace, name }
	const retrying = <T>(request: () => Promise<T>) => retryWhileUnreachable(options, signal, request)
	const { data = {} } = await retrying(() => client.get(ConfigMap, at, { signal }))
	const input = RunConfig.parse(JSON.parse(data[CONFIG_KEY] ?? ''))
	onStart(input)
	const ms = await runMs(input)
	if (ms > 0 && !(await sleep(ms, signal))) return
	const reported = report(input)
	if (reported) await retrying(() => client.patch(ConfigMap, at, { data: { [REPORT_KEY]: JSON.stringify(reported) } }, { signal }))
	const end = finishedStatus(reported !== undefined, new Date().toISOString())
	await retrying(() => client.patchStatus(Job, at, end, { signal }))
}

/** Repeats the request while the API server is unreachable, as a kubelet does: an unreachable API server does not end a run. */
async function retryWhileUnreachable<T>({ log }: FakeKubeletOptions, signal: AbortSignal, request: () => Promise<T>): Promise<T> {
	for (;;) {
		try {
			return await request()
		} catch (error) {
			if (!isKubeFailure(error) || !error.retry || !(await sleep(retryMs, signal))) throw error
			log.warn({ err: error }, 'a simulated run repeats a request: the API server is unreachable')
		}
	}
}

const retryMs = 200

/**
 * The status that the API server requires of a finished Job. @see
 * https://kubernetes.io/docs/concepts/workloads/controllers/job/#terminal-job-conditions
 */
function finishedStatus(succeeded: boolean, now: string): NonNullable<Job['status']> {
	const time = `${now.slice(0, 19)}Z`
	const condition = (type: string) => ({
		type,
		status: 'True',
		lastProbeTime: time,
		lastTransitionTime: time,
		reason: 'Played',
		message: '',
	})
	const types = succeeded ? ['SuccessCriteriaMet', 'Complete'] : ['FailureTarget', 'Failed']
	const conditions = types.map(condition)
	return succeeded ? { startTime: time, completionTime: time, succeeded: 1, conditions } : { startTime: time, failed: 1, conditions }
}

/** Returns the report of a run that succeeded. */
export function reportFor(input: RunConfig, over: Partial<AgentReport> = {}): AgentReport {
	const { nodeName, uid, generation, attempt, mode } = input
	return {
		...{ version: 1, nodeName, uid, generation, attempt, mode, outcome: 'Succeeded', message: 'done', backend: 'netplan-networkd' },
		reason: 'AllInterfacesConfigured',
		persistent: { status: 'True', message: 'proven' },
		...{ started: new Date(Date.now() - 2_000).toISOString(), finished: new Date().toISOString(), milliseconds: {}, changes: 3 },
		interfaces: input.interfaces.map((nic, index) => ({
			...{ id: nic.id ?? index, name: `multinic${nic.id ?? index}`, macAddress: nic.macAddress, changes: 3, warnings: [] },
			...{ state: 'Configured', reason: 'Configured', message: 'as desired' },
		})),
		probes: { before: [], after: [] },
		...over,
	}
}
