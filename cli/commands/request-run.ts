import type { AgentReport } from '../../contract/agent-run.ts'
import { type Ask, ASKS, LABEL_NODE_NAME, REPORT_KEY } from '../../contract/names.ts'
import { sleep } from '../../runtime/clock.ts'
import { ConfigMap, endOf, Job, type Stored } from '../../runtime/kube/index.ts'
import { failure } from '../model/failures.ts'
import { NodeConfig } from '../model/kinds.ts'
import { readNode } from '../read/fleet.ts'
import { readReport } from '../read/report.ts'
import { sentenceOf } from '../render/failure.ts'
import { stateWords } from '../render/state.ts'
import type { Session } from '../read/session.ts'
import { type ConfigView, configView } from '../model/node-config-view.ts'

/** Read-only runs that a user requests. */

export type Question = { node: string; ask: Exclude<Ask, 'retry'>; timeoutMs: number }
export type Answer = { run: string; report: AgentReport }

/** Poll interval in milliseconds. A poll is cheap for the API server, and a run takes seconds. */
const pollMs = 500

/**
 * Requests a read-only run from the controller, and waits for its report. A request that is still pending is not repeated.
 *
 * @returns undefined on timeout; the request is then withdrawn if no run has started for it
 * @throws Failure NOT_ANSWERED if no run can start in the current state, or if it finished without a readable report
 */
export async function askForRun(session: Session, question: Question): Promise<Answer | undefined> {
	const { node, ask, timeoutMs } = question
	const { io, signal, progress } = session
	const config = configView(await readNode(session, node))
	assertNotPaused(config)
	const value = config.asked[ask] ?? (await writeRequest(session, question))
	const until = io.now() + timeoutMs
	const seen: PollState = { run: undefined, ended: false }
	const words = () =>
		seen.run ? `waiting for the report of Job ${seen.run}` : `waiting for a run on ${node}, which is ${stateWords(config)}`
	const wait = async () => {
		while (!signal.aborted && io.now() < until) {
			const answer = await poll(session, question, { value, seen })
			if (answer) return answer
			await sleep(pollMs, signal)
		}
		signal.throwIfAborted()
		return undefined
	}
	try {
		return await progress(words, wait())
	} finally {
		if (!seen.run && config.asked[ask] === undefined) await withdrawRequest(session, question, value)
	}
}

/** Throws if the controller starts no runs for this node at all, so that waiting would be useless. */
function assertNotPaused({ name, paused, deleting }: ConfigView): void {
	if (paused)
		throw failure('NOT_ANSWERED', `${name} is paused, so no read-only run starts either. Resume with: kubectl multinic resume ${name}`)
	if (deleting) throw failure('NOT_ANSWERED', `the node config ${name} is being deleted; see: kubectl multinic get ${name}`)
}

/** The run that answers the request, once it is known; `ended`: its Job had finished at the last poll. */
type PollState = { run: string | undefined; ended: boolean }

async function poll(
	session: Session,
	question: Question,
	{ value, seen }: { value: string; seen: PollState },
): Promise<Answer | undefined> {
	const found = seen.run === undefined ? await findRun(session, question, value) : await readRun(session, seen.run)
	if (!found) return undefined
	seen.run = found.metadata.name
	const text = found.data?.[REPORT_KEY]
	if (text !== undefined) return { run: seen.run, report: read(text, seen.run) }
	if (seen.ended) throw noReport(question.node, seen.run)
	seen.ended = await hasEnded(session, seen.run)
	return undefined
}

async function writeRequest({ cluster, signal, io }: Session, { node, ask }: Question): Promise<string> {
	const value = io.fresh()
	const at = { namespace: cluster.namespace, name: node }
	await cluster.client.patch(NodeConfig, at, { metadata: { annotations: { [ASKS[ask]]: value } } }, { signal })
	return value
}

async function findRun({ cluster, signal }: Session, { node, ask }: Question, value: string): Promise<Stored<ConfigMap> | undefined> {
	const { client, namespace } = cluster
	const { items } = await client.list(ConfigMap, { namespace, labelSelector: `${LABEL_NODE_NAME}=${node}`, signal })
	return items.find(({ metadata }) => metadata.annotations?.[ASKS[ask]] === value)
}

/** @throws Failure NOT_ANSWERED if the ConfigMap of the run was deleted */
async function readRun({ cluster, signal }: Session, name: string): Promise<Stored<ConfigMap>> {
	const found = await cluster.client.find(ConfigMap, { namespace: cluster.namespace, name }, { signal })
	if (!found) throw failure('NOT_ANSWERED', `run ${name} was deleted before its report was read`)
	return found
}

/** Returns whether the Job has finished. The report is written before that, so the caller reads the run one last time afterwards. */
async function hasEnded({ cluster, signal }: Session, name: string): Promise<boolean> {
	const job = await cluster.client.find(Job, { namespace: cluster.namespace, name }, { signal })
	return job !== undefined && endOf(job) !== undefined
}

function read(text: string, run: string): AgentReport {
	const reading = readReport(text)
	if ('report' in reading) return reading.report
	throw failure('NOT_ANSWERED', `the report of run ${run} cannot be read: ${reading.fault}`)
}

function noReport(node: string, run: string) {
	return failure('NOT_ANSWERED', `Job ${run} finished without a report; see: kubectl multinic logs ${node} --run ${run}`)
}

/** Withdraws a request that the command no longer waits for. A run that starts anyway is safe, so a failure is only a warning. */
async function withdrawRequest({ cluster, warn }: Session, { node, ask }: Question, value: string): Promise<void> {
	const { client, namespace } = cluster
	const at = { namespace, name: node }
	try {
		const now = await client.find(NodeConfig, at, { timeoutMs: 5_000 })
		if (now?.metadata.annotations?.[ASKS[ask]] !== value) return
		const { resourceVersion } = now.metadata
		await client.patch(NodeConfig, at, { metadata: { resourceVersion, annotations: { [ASKS[ask]]: null } } }, { timeoutMs: 5_000 })
	} catch (error) {
		warn(`warning: the request is still on ${node} and may start a read-only run: ${sentenceOf(error)}`)
	}
}
