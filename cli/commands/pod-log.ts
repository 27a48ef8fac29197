import { clean, cleanLines } from '../../contract/clean.ts'
import { AGENT_CONTAINER } from '../../contract/names.ts'
import { sleep } from '../../runtime/clock.ts'
import { objectPath, Pod, type Stored } from '../../runtime/kube/index.ts'
import { failure } from '../model/failures.ts'
import { agentState } from '../read/run-pods.ts'
import type { Session } from '../read/session.ts'

/** Poll interval for a pod that has not started yet. */
const pollMs = 1_000

/** `before` is called once the log is available, before it is printed. */
export type LogOptions = { follow: boolean; before: () => Promise<void> }

/**
 * Writes the log of a run's pod to standard output.
 *
 * @throws Failure NO_RUN if the pod has no log yet and `follow` is not set, or if the log stream is interrupted
 */
export async function printLog(session: Session, pod: Stored<Pod>, { follow, before }: LogOptions): Promise<void> {
	const { cluster, signal, progress } = session
	const { name } = pod.metadata
	const at = { namespace: cluster.namespace, name }
	let words = waitsFor(pod)
	if (words !== undefined && !follow) throw failure('NO_RUN', `pod ${name} has no log yet: ${words}; use -f to wait for it`)
	const started = async () => {
		while (words !== undefined && !signal.aborted) {
			await sleep(pollMs, signal)
			words = waitsFor(await cluster.client.get(Pod, at, { signal }))
		}
	}
	await progress(() => `waiting for pod ${name}: ${words}`, started())
	await copyLog(session, at, { follow, before })
	signal.throwIfAborted()
}

/** Returns why the pod has no log yet; undefined if it may have one. */
function waitsFor(pod: Stored<Pod>): string | undefined {
	const { status } = pod
	const state = agentState(pod)
	if (state?.running || state?.terminated || status?.phase === 'Failed' || status?.phase === 'Succeeded') return undefined
	const { reason, message } = state?.waiting ?? {}
	return clean([reason, message].filter(Boolean).join(': ')) || 'it has not started'
}

/** Prints the log as it arrives: the agent writes it for people. It is cleaned, because the kubelet may return anything instead. */
async function copyLog(
	{ cluster, signal, io }: Session,
	at: { namespace: string; name: string },
	{ follow, before }: LogOptions,
): Promise<void> {
	const path = `${objectPath(Pod, at)}/log`
	const query = { container: AGENT_CONTAINER, ...(follow && { follow }) }
	const decoder = new TextDecoder()
	const { bytes } = await cluster.transport.open({ method: 'GET', verb: 'log', path, query, signal })
	await before()
	try {
		for await (const chunk of bytes) io.out.write(cleanLines(decoder.decode(chunk, { stream: true })))
	} catch (cause) {
		if (signal.aborted) return
		throw failure('NO_RUN', `the log stream of pod ${at.name} was interrupted; retry with: kubectl multinic logs`, cause)
	}
}
