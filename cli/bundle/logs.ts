import { objectPath, Pod, type Stored } from '../../runtime/kube/index.ts'
import { agentState, listOurPods } from '../read/run-pods.ts'
import type { Session } from '../read/session.ts'
import type { Part } from './collect.ts'
import { OURS } from './parts.ts'

/** Maximum number of runs whose logs are included: first the runs that failed or have not ended, then the newest runs. */
const runsMax = 200
const limitBytes = 4 * 1_024 * 1_024

/** Returns the logs of the controller and of the runs, and how many runs were omitted. */
export async function logParts(session: Session): Promise<{ parts: Part[]; leftOut: number }> {
	const { ofRuns, others } = await listOurPods(session.cluster, OURS, session.signal)
	const runs = ofRuns.filter(hasLog).sort((a, b) => weight(b) - weight(a))
	const chosen = runs.slice(0, runsMax)
	return {
		parts: [...others.flatMap(pod => [current(session, pod), ...previous(session, pod)]), ...chosen.map(pod => current(session, pod))],
		leftOut: runs.length - chosen.length,
	}
}

function hasLog(pod: Stored<Pod>): boolean {
	const state = agentState(pod)
	return state?.running !== undefined || state?.terminated !== undefined
}

function weight(pod: Stored<Pod>): number {
	const failed = agentState(pod)?.terminated?.exitCode !== 0
	return Date.parse(pod.metadata.creationTimestamp) + (failed ? 1e15 : 0)
}

function current(session: Session, pod: Stored<Pod>): Part {
	const { name } = pod.metadata
	return { path: `logs/${name}.log`, what: 'log', read: () => read(session, name, {}) }
}

/** Returns the log from before the last restart, if a container has restarted. */
function previous(session: Session, { metadata, status }: Stored<Pod>): Part[] {
	const restarted = status?.containerStatuses?.some(({ restartCount }) => restartCount > 0)
	if (!restarted) return []
	const { name } = metadata
	return [{ path: `logs/${name}.previous.log`, what: 'log of the previous container', read: () => read(session, name, { previous: true }) }]
}

async function read({ cluster, signal }: Session, name: string, query: { previous?: true }): Promise<string> {
	const path = `${objectPath(Pod, { namespace: cluster.namespace, name })}/log`
	const said = await cluster.client.raw({ method: 'GET', path, query: { timestamps: true, limitBytes, ...query }, signal })
	return typeof said === 'string' ? said : JSON.stringify(said)
}
