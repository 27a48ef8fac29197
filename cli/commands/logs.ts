import { Option } from 'commander'
import type { AgentReport } from '../../contract/agent-run.ts'
import { clean, cleanLines } from '../../contract/clean.ts'
import { AGENT_CONTAINER, LABEL_NODE_NAME, REPORT_KEY } from '../../contract/names.ts'
import { sleep } from '../../runtime/clock.ts'
import { objectPath, type Stored } from '../../runtime/kube/kind.ts'
import { ConfigMap, Pod } from '../../runtime/kube/kinds.ts'
import { failure } from '../failures.ts'
import { readNode } from '../read.ts'
import { readReport } from '../read-report.ts'
import { agentState, listOurPods } from '../run-pods.ts'
import { reportLines } from '../render/report.ts'
import type { CommandSpec, Session } from '../session.ts'
import { configView } from '../view.ts'
import { exitCodes } from '../world.ts'
import { parseName } from './options.ts'

export type LogsFlags = { follow?: boolean; run?: string }

export const logs: CommandSpec<LogsFlags> = {
	name: 'logs',
	nodes: 'one',
	about: 'What the last run on a node said; its report, where the pod is gone',
	options: [
		new Option('-f, --follow', 'go on until the run ends'),
		new Option('--run <name>', 'another run than the last: the name of its Job').argParser(parseName),
	],
	more: 'kubectl multinic history NODE names the last runs.',
	async act(session, [node = ''], flags) {
		const pod = await lastPod(session, node, flags.run)
		if (pod) await printLog(session, pod, flags.follow ?? false)
		else await printReport(session, node, flags.run)
		return exitCodes.fine
	},
}

/** The pod of the run that began last, or of the one that is named. */
async function lastPod({ cluster, signal, progress }: Session, node: string, run: string | undefined): Promise<Stored<Pod> | undefined> {
	const labelSelector = `${LABEL_NODE_NAME}=${node}`
	const { ofRuns } = await progress(`reading the pods of ${node} from ${cluster.server}`, listOurPods(cluster, labelSelector, signal))
	const wanted = ofRuns.filter(({ metadata }) => run === undefined || metadata.ownerReferences?.some(({ name }) => name === run))
	return wanted.sort((a, b) => begun(b) - begun(a))[0]
}

function begun({ metadata }: Stored<Pod>): number {
	return Date.parse(metadata.creationTimestamp)
}

/** How long a pod that is not yet started is waited for before it is looked at again. */
const pollMs = 1_000

async function printLog(session: Session, pod: Stored<Pod>, follow: boolean): Promise<void> {
	const { cluster, signal, progress } = session
	const { name } = pod.metadata
	const at = { namespace: cluster.namespace, name }
	let words = waitsFor(pod)
	if (words !== undefined && !follow) throw failure('NO_RUN', `pod ${name} has said nothing yet: ${words}; -f waits for it`)
	const started = async () => {
		while (words !== undefined && !signal.aborted) {
			await sleep(pollMs, signal)
			words = waitsFor(await cluster.client.get(Pod, at, { signal }))
		}
	}
	await progress(() => `waiting for pod ${name}: ${words}`, started())
	await copyLog(session, at, follow)
	signal.throwIfAborted()
}

/** Why the pod has no log yet; undefined where it may have one. */
function waitsFor(pod: Stored<Pod>): string | undefined {
	const { status } = pod
	const state = agentState(pod)
	if (state?.running || state?.terminated || status?.phase === 'Failed' || status?.phase === 'Succeeded') return undefined
	const { reason, message } = state?.waiting ?? {}
	return clean([reason, message].filter(Boolean).join(': ')) || 'it is not started'
}

/** As it comes: the agent writes for people. The kubelet may say anything in its place. */
async function copyLog({ cluster, signal, world }: Session, at: { namespace: string; name: string }, follow: boolean): Promise<void> {
	const path = `${objectPath(Pod, at)}/log`
	const query = { container: AGENT_CONTAINER, ...(follow && { follow }) }
	const decoder = new TextDecoder()
	const { bytes } = await cluster.transport.open({ method: 'GET', verb: 'log', path, query, signal })
	try {
		for await (const chunk of bytes) world.out.write(cleanLines(decoder.decode(chunk, { stream: true })))
	} catch (cause) {
		if (signal.aborted) return
		throw failure('NO_RUN', `the log of pod ${at.name} broke off; again: kubectl multinic logs`, cause)
	}
}

/** Pods go with their node, or are evicted; the report stays with the run's ConfigMap for a while. */
async function printReport(session: Session, node: string, run: string | undefined): Promise<void> {
	const { cluster, signal, warn, print } = session
	const config = configView(await readNode(session, node))
	const name = run ?? config.status.lastJobName
	if (name === undefined) throw failure('NO_RUN', `there was no run on ${node} yet; what it waits for: kubectl multinic get ${node}`)
	const found = await cluster.client.find(ConfigMap, { namespace: cluster.namespace, name }, { signal })
	const report = reportIn(found, node)
	if (!report)
		throw failure(
			'NO_RUN',
			`run ${name} on ${node} has neither a pod nor a report any more; what is known: kubectl multinic history ${node}`,
		)
	warn(`the pod of run ${name} is gone; this is its report`)
	print(reportLines(report))
}

function reportIn(found: ConfigMap | undefined, node: string): AgentReport | undefined {
	if (found?.metadata.labels?.[LABEL_NODE_NAME] !== node) return undefined
	const reading = readReport(found.data?.[REPORT_KEY] ?? '')
	return 'report' in reading ? reading.report : undefined // the run ended before it, or in the middle of it
}
