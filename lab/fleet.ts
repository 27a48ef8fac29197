import { join } from 'node:path'
import { execa } from 'execa'
import pc from 'picocolors'
import { nodeConfigCrd } from '../contract/crds.ts'
import { FINALIZER } from '../contract/names.ts'
import { NodeConfig, type NodeConfigObject } from '../controller/model/node-config-kind.ts'
import { KubeClient, type KubeObject, loadCredentials, Node } from '../runtime/kube/index.ts'
import { inParallel } from '../runtime/in-parallel.ts'
import { createLog } from '../runtime/log.ts'
import { requestToken } from './cluster/account-token.ts'
import { type ApiServer, startApiServer } from './cluster/api-server.ts'
import { controlPlaneBinaries } from './cluster/control-plane.ts'
import { waitForCrds } from './cluster/wait-for-crds.ts'
import { startFakeKubelet } from './cluster/fake-kubelet.ts'
import { rollOutFleet, type FleetResult } from './fleet-rollout.ts'
import { findKit } from './kit/kit.ts'
import { writeKubeconfig } from './cluster/kubeconfig.ts'
import { writePlugin } from './plugin.ts'
import { startDaemon } from './base/daemon.ts'
import { step } from './base/progress.ts'
import { makeRunDir } from './base/run-dir.ts'
import { namespace } from './demo/cloud.ts'

/** A cluster whose nodes exist only in its API server. Everything is real except the nodes, whose runs are simulated. */
export interface Fleet extends AsyncDisposable {
	/** Commands for a user to run in another terminal. */
	readonly instructions: string
	/** Resolves when the controller has ended unexpectedly, with a sentence that says so. */
	readonly ended: Promise<string>
	/** Creates a node config for every node. Returns when each is Configured or Failed. */
	rollOut(): Promise<FleetResult>
}

/** The controllers that run. Others would miss the nodes' heartbeats, or create pods that no node starts. */
const controllers = ['garbage-collector-controller', 'namespace-controller', 'serviceaccount-controller', 'serviceaccount-token-controller']

/** Builds missing binaries, which takes a few minutes the first time. */
export async function prepareFleet(): Promise<void> {
	await step('Kubernetes', () => findKit([...controlPlaneBinaries, 'kube-controller-manager', 'kubectl', 'helm']))
}

/**
 * Starts the API server, the nodes and the controller. The chart is installed with 0 replicas of the controller, which instead runs as a
 * local process with only the permissions of its ServiceAccount.
 */
export async function startFleet(count: number): Promise<Fleet> {
	const api = await step('control plane', () => startApiServer({ controllerManager: controllers }))
	const runDir = await makeRunDir('fleet')
	const client = new KubeClient(await loadCredentials({ kubeconfig: api.kubeconfig }, {}), {
		fieldManager: 'multinic-lab',
		connections: 16,
	})
	const kubelet = startFakeKubelet({
		client,
		namespace,
		log: createLog('kubelet', { level: 'silent' }),
		runMs: () => 1_000 + 3_000 * Math.random(),
	})
	const names = Array.from({ length: count }, (_, index) => `node-${String(index + 1).padStart(String(count).length, '0')}`)
	await step('helm install multinic', () => installChart(api))
	await waitForCrds(client, [nodeConfigCrd])
	const controller = startDaemon({
		name: 'controller',
		argv: [process.execPath, '--max-semi-space-size=4', join(import.meta.dirname, '../controller/main.ts')],
		logFile: join(runDir.path, 'controller.log'),
		env: { ...settings, KUBECONFIG: await controllerAccess(api, client, runDir.path) },
	})
	const bin = join(runDir.path, 'bin')
	await writePlugin(bin)
	await step(`${count} nodes`, report => each(names, report, name => addNode(client, name)))
	return {
		instructions: instructions(api, bin, join(runDir.path, 'controller.log')),
		ended: controller.ended,
		rollOut: () => rollOutFleet(client, names, report => each(names, report, (name, index) => addNodeConfig(client, name, index))),
		[Symbol.asyncDispose]: async () => {
			await kubelet.stop()
			await controller.stop()
			await client.close()
			await api.stop()
			await runDir.remove()
		},
	}
}

const settings = {
	...{ NAMESPACE: namespace, AGENT_IMAGE: 'localhost/multinic-agent:lab', METRICS_ADDR: '127.0.0.1:0' },
	...{ MAX_CONCURRENT_RUNS: '1000', LOG_FORMAT: 'json' },
}

function installChart({ bin, kubeconfig }: ApiServer) {
	const chart = join(import.meta.dirname, '../charts/multinic')
	const values = ['--set', 'controller.replicas=0,agent.image.tag=lab', '--namespace', namespace, '--create-namespace']
	return execa(join(bin, 'helm'), ['install', 'multinic', chart, ...values], { env: { KUBECONFIG: kubeconfig } })
}

/** @returns the path of a kubeconfig for the controller's own ServiceAccount, valid for one day */
async function controllerAccess(api: ApiServer, client: KubeClient, dir: string): Promise<string> {
	const token = await requestToken(client, { namespace, account: 'multinic-controller' })
	const access = { name: 'controller', server: api.server, ca: api.ca, token }
	return writeKubeconfig(join(dir, 'controller.kubeconfig'), access)
}

async function addNode(client: KubeClient, name: string): Promise<void> {
	await client.create<KubeObject>(Node, { metadata: { name, labels: { 'kubernetes.io/hostname': name } } })
	await client.patchStatus(Node, { name }, { conditions: [{ type: 'Ready', status: 'True', reason: 'Played', message: '' }] })
}

async function addNodeConfig(client: KubeClient, name: string, index: number): Promise<void> {
	const [high, low] = [(index >> 8) & 255, index & 255]
	const interfaces = [0, 1].map(id => ({
		...{ id, macAddress: `fa:16:3e:0${id}:${hex(high)}:${hex(low)}`, mtu: 1450 },
		...{ address: `${10 + id}.1.${high}.${low}`, cidr: `${10 + id}.0.0.0/8` },
	}))
	await client.create<NodeConfigObject>(NodeConfig, {
		metadata: { namespace, name, finalizers: [FINALIZER] },
		spec: { nodeName: name, interfaces },
	})
}

function hex(byte: number): string {
	return byte.toString(16).padStart(2, '0')
}

async function each(
	names: readonly string[],
	report: (how: string) => void,
	work: (name: string, index: number) => Promise<void>,
): Promise<void> {
	let done = 0
	await inParallel(names, 16, async (name, index) => {
		await work(name, index)
		report(`${++done} of ${names.length}`)
	})
}

function instructions({ kubeconfig, bin }: ApiServer, plugin: string, log: string): string {
	const commands = {
		'kubectl multinic get -w': 'the fleet, live',
		'kubectl multinic pause': 'pause the rollout; continue with resume',
		[`kubectl patch configmap multinic-rollout -n ${namespace} --type merge -p '{"data":{"maxUnavailable":"100"}}'`]:
			'change more nodes concurrently',
		[`tail -f ${log}`]: 'the log of the controller',
	}
	return `
In another terminal:
  ${pc.bold(`export KUBECONFIG=${kubeconfig} PATH=${plugin}:${bin}:$PATH`)}
${Object.entries(commands)
	.map(([command, what]) => `  ${command}  ${pc.dim(what)}`)
	.join('\n')}
`
}
