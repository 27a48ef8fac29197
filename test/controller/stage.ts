import { execa } from 'execa'
import { vi } from 'vitest'
import { nodeConfigCrd } from '../../contract/crds.ts'
import { AGENT_MANAGER } from '../../contract/names.ts'
import type { NodeConfigStatus } from '../../contract/node-config.ts'
import { condition } from '../../contract/status.ts'
import { type ControllerOptions, createController } from '../../controller/controller.ts'
import { NodeConfig } from '../../controller/model/node-config-kind.ts'
import type { NodeConfigObject } from '../../controller/model/node-config-kind.ts'
import { requestToken } from '../../lab/cluster/account-token.ts'
import { startApiServer } from '../../lab/cluster/api-server.ts'
import { waitForCrds } from '../../lab/cluster/wait-for-crds.ts'
import { KubeClient, type KubeClientOptions } from '../../runtime/kube/client.ts'
import { keyOf, type Stored } from '../../runtime/kube/kind.ts'
import { startReflector } from '../../runtime/kube/reflector.ts'
import { createLog } from '../../runtime/log.ts'
import { startKubelet } from './kubelet.ts'
import { agent } from './world.ts'

export const namespace = 'multinic-system'
const log = createLog('test', { level: 'error' })

/**
 * Runs the chart on a real control plane. Only kubelet and agent are simulated. The controller has only the permissions of its
 * ServiceAccount.
 */
export async function startStage() {
	const api = await startApiServer({ controllerManager: true })
	const clients: KubeClient[] = []
	const as = (token: string, options: Partial<KubeClientOptions> = {}) => {
		const headers = async () => ({ authorization: `Bearer ${token}` })
		const client = new KubeClient({ server: api.server, tls: { ca: api.ca }, headers }, { fieldManager: 'test', ...options })
		clients.push(client)
		return client
	}
	const admin = as(api.token)
	const run = (program: string, ...args: string[]) =>
		execa(`${api.bin}/${program}`, args, { env: { KUBECONFIG: api.kubeconfig }, all: true })
	const values = ['--set', 'controller.replicas=0', '--set', 'rollout.maxUnavailable=100%', '-n', namespace, '--create-namespace']
	await run('helm', 'install', 'multinic', 'charts/multinic', ...values)
	await waitForCrds(admin, [nodeConfigCrd])
	const token = (account: string, pod?: { name: string; uid: string }) => requestToken(admin, { namespace, account, pod })
	const kubelet = startKubelet({
		admin,
		namespace,
		log,
		asAgent: async pod => as(await token('multinic-run', pod), { fieldManager: AGENT_MANAGER }),
	})
	const controllerToken = await token('multinic-controller')
	const watching = new AbortController()
	const stories = new Map<string, string[]>()
	const onChange = (key: string, now: Stored<NodeConfigObject> | undefined) => tellStory(stories, key, now)
	await startReflector({ client: admin, kind: NodeConfig, namespace, log, signal: watching.signal, onChange }).synced
	return {
		admin,
		kubelet,
		kubectl: (...args: string[]) => run('kubectl', ...args),
		/** Returns every status that was written to a node config, in order: `2 InProgress 0/1 RunStarted`. */
		story: (name: string): readonly string[] => stories.get(keyOf({ name, namespace })) ?? [],
		controller: (options: Parameters<typeof startController>[1] = {}) =>
			startController(onCall => as(controllerToken, { fieldManager: 'multinic-controller', ...(onCall && { onCall }) }), options),
		stop: async () => {
			kubelet.stop()
			watching.abort()
			await Promise.all(clients.map(client => client.close()))
			await api.stop()
		},
	}
}
export type Stage = Awaited<ReturnType<typeof startStage>>

type OnCall = NonNullable<KubeClientOptions['onCall']>

/** Runs one controller as its process would. `crashAfter`: it is aborted after this many writes, in the middle of its work. */
function startController(
	connect: (onCall?: OnCall) => KubeClient,
	{ crashAfter, ...over }: { crashAfter?: number; onDecision?: ControllerOptions['onDecision']; keepRunMs?: number } = {},
) {
	const stop = new AbortController()
	let writes = 0
	const client = connect(({ method, verb }) => {
		if (method === 'GET' || verb === 'watch') return
		writes++
		if (writes !== crashAfter) return
		stop.abort()
		void client.close()
	})
	const config = {
		namespace,
		agent,
		runs: { keepRunMs: over.keepRunMs ?? 3_600_000, maxConcurrentRuns: 50, deadlineMs: 300_000, checkInstanceId: true },
		workers: 4,
	}
	const silent = createLog('controller', { level: 'silent' })
	const { onDecision } = over
	const controller = createController({ client, config, log: silent, signal: stop.signal, ...(onDecision && { onDecision }) })
	const done = controller.run(stop.signal)
	return {
		writes: () => writes,
		crashed: done,
		stop: async () => {
			stop.abort()
			await done
		},
	}
}

function tellStory(stories: Map<string, string[]>, key: string, now: Stored<NodeConfigObject> | undefined): void {
	const { status } = (now ?? {}) as { status?: NodeConfigStatus }
	const said = status?.state
		? `${status.observedGeneration} ${status.state} ${status.interfaces} ${condition(status, 'Ready')?.reason}`
		: now
			? 'new'
			: 'gone'
	const story = stories.get(key) ?? []
	if (story.at(-1) !== said) stories.set(key, [...story, said])
}

/** Polls until the check passes. On timeout, throws its last failure. */
export function eventually<T>(check: () => T | Promise<T>): Promise<T> {
	return vi.waitFor(check, { timeout: 120_000, interval: 50 })
}
