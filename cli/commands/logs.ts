import { Option } from 'commander'
import type { AgentReport } from '../../contract/agent-run.ts'
import { LABEL_CONFIG_UID, LABEL_GENERATION, LABEL_NODE_NAME, REPORT_KEY } from '../../contract/names.ts'
import { ConfigMap, type Pod, type Stored } from '../../runtime/kube/index.ts'
import { failure } from '../model/failures.ts'
import { NodeConfig } from '../model/kinds.ts'
import { isBefore, notThePresent, type ShownRun } from '../render/older-run.ts'
import { readNode } from '../read/fleet.ts'
import { readReport } from '../read/report.ts'
import { listOurPods } from '../read/run-pods.ts'
import { reportLines } from '../render/report.ts'
import type { CommandSpec, Session } from '../read/session.ts'
import { unlessForbidden } from '../read/unless-forbidden.ts'
import { stateOf } from '../../contract/status.ts'
import { type ConfigView, configView } from '../model/node-config-view.ts'
import { exitCodes } from '../model/io.ts'
import { parseName } from './options.ts'
import { printLog } from './pod-log.ts'

export type LogsFlags = { follow?: boolean; run?: string }

export const logs: CommandSpec<LogsFlags> = {
	name: 'logs',
	nodes: 'one',
	about: 'Print the log of the last run on a node, or its report if the pod no longer exists',
	options: [
		new Option('-f, --follow', 'stream the log until the run ends'),
		new Option('--run <name>', 'name of the Job of a specific run (default: the last run)').argParser(parseName),
	],
	more: 'List recent runs with: kubectl multinic history NODE',
	async act(session, [node = ''], flags) {
		const pod = await lastPod(session, node, flags.run)
		if (!pod) await printReport(session, node, flags.run)
		else await printLog(session, pod, { follow: flags.follow ?? false, before: () => markOlder(session, node, runOf(pod)) })
		return exitCodes.ok
	},
}

/** Returns the pod of the run that began last, or of the named run. */
async function lastPod({ cluster, signal, progress }: Session, node: string, run: string | undefined): Promise<Stored<Pod> | undefined> {
	const labelSelector = `${LABEL_NODE_NAME}=${node}`
	const { ofRuns } = await progress(`reading the pods of ${node} from ${cluster.server}`, listOurPods(cluster, labelSelector, signal))
	const wanted = ofRuns.filter(({ metadata }) => run === undefined || metadata.ownerReferences?.some(({ name }) => name === run))
	// for two pods that were created in the same second, the names of the runs show which came later
	return wanted.sort(
		(a, b) => begun(b) - begun(a) || Number(isBefore(runOf(a).name, runOf(b).name)) - Number(isBefore(runOf(b).name, runOf(a).name)),
	)[0]
}

function begun({ metadata }: Stored<Pod>): number {
	return Date.parse(metadata.creationTimestamp)
}

function runOf(pod: Stored<Pod>): ShownRun {
	const job = pod.metadata.ownerReferences?.find(({ kind }) => kind === 'Job')?.name
	return shownRun(job ?? pod.metadata.name, pod.metadata.labels)
}

function shownRun(name: string, labels: Readonly<Record<string, string>> = {}): ShownRun {
	return { name, uid: labels[LABEL_CONFIG_UID], generation: Number(labels[LABEL_GENERATION] ?? Number.NaN) }
}

/** Prints a note if the log that follows does not describe the current state, and if the user may read node configs. */
async function markOlder({ cluster, signal, warn }: Session, node: string, run: ShownRun): Promise<void> {
	const { client, namespace } = cluster
	const found = await unlessForbidden(client.find(NodeConfig, { namespace, name: node }, { signal }))
	const words = found && notThePresent(run, node, found.found && configView(found.found))
	if (words) warn(`note: ${words}`)
}

/** Prints the report of a run whose pod was evicted, or deleted with its node. The report stays in the run's ConfigMap for a while. */
async function printReport(session: Session, node: string, run: string | undefined): Promise<void> {
	const { cluster, signal, warn, print } = session
	const config = configView(await readNode(session, node))
	const name = run ?? config.status.lastJobName
	if (name === undefined) throw failure('NO_RUN', `no run has started on ${node} yet; see: kubectl multinic get ${node}`)
	const found = await cluster.client.find(ConfigMap, { namespace: cluster.namespace, name }, { signal })
	const report = reportIn(found, node)
	if (!report) throw failure('NO_RUN', nothingSaid(name, config))
	const words = notThePresent(shownRun(name, found?.metadata.labels), node, config)
	if (words) warn(`note: ${words}`)
	warn(`the pod of run ${name} no longer exists; showing its report`)
	print(reportLines(report))
}

function nothingSaid(run: string, config: ConfigView): string {
	const { name, status } = config
	if (stateOf(config) === 'InProgress' && run === status.lastJobName)
		return `run ${run} on ${name} has no pod yet; see: kubectl multinic get ${name}`
	return `run ${run} on ${name} no longer has a pod or a report; see: kubectl multinic history ${name}`
}

function reportIn(found: ConfigMap | undefined, node: string): AgentReport | undefined {
	if (found?.metadata.labels?.[LABEL_NODE_NAME] !== node) return undefined
	const reading = readReport(found.data?.[REPORT_KEY] ?? '')
	return 'report' in reading ? reading.report : undefined // the run ended before or while it wrote the report
}
