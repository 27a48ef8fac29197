import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'
import type { NodeConfigSpec } from '../../contract/node-config.ts'
import { type ApiServer, startApiServer } from '../../lab/cluster/api-server.ts'
import { type Openstack, type OpenstackOptions, startOpenstack } from '../../lab/openstack/server.ts'
import { type OpenstackConfig, OpenstackConfigKind } from '../../mgmt/kind.ts'
import { loadCredentials } from '../../runtime/kube/auth.ts'
import { KubeClient } from '../../runtime/kube/client.ts'
import { Namespace, Secret } from '../../runtime/kube/kinds.ts'
import { NodeConfigKind } from '../../viola/model/node-config-kind.ts'
import { putCrds } from './cluster.ts'

/** A real API server (as MGMT and as biz cluster), the lab's OpenStack, and viola and mgmt as processes of the same sources. */
export type World = {
	api: ApiServer
	client: KubeClient
	openstack: Openstack
	violaUrl: string
	violaToken: string
	/** The first process of mgmt. */
	mgmt: Running
	/** Starts a further process of mgmt; variables that are set here replace those of the first one. */
	startMgmt(env?: Record<string, string>): Promise<Running>
	/** The folder of files that processes of mgmt write. */
	folder: string
	/** The output of viola and all processes of mgmt. */
	logs(): string
	applyConfig(name: string, spec: object): Promise<void>
	putSecret(name: string, key: string, value: string): Promise<void>
	config(name: string): Promise<OpenstackConfig | undefined>
	nodeConfig(name: string): Promise<NodeConfigSpec | undefined>
	stop(): Promise<void>
}

export const PROVIDER = 'biz-1'
export const NAMESPACE = 'multinic-system'

export async function startWorld(cloud: OpenstackOptions): Promise<World> {
	const api = await startApiServer()
	const folder = await mkdtemp(join(tmpdir(), 'multinic-mgmt-'))
	const client = new KubeClient(await loadCredentials({ kubeconfig: api.kubeconfig }, {}), { fieldManager: 'test' })
	await putCrds(client)
	await client.apply(Namespace, { metadata: { name: NAMESPACE } })
	const openstack = await startOpenstack(cloud)
	const violaToken = 'viola-token-of-the-test'
	const clusters = join(folder, 'clusters.yaml')
	await writeFile(clusters, `${PROVIDER}: { kubeconfig: ${api.kubeconfig}, namespace: ${NAMESPACE} }\n`)
	const viola = startProcess('viola', { VIOLA_ADDR: '127.0.0.1:0', VIOLA_TOKEN: violaToken, VIOLA_CLUSTERS: clusters })
	const violaUrl = await viola.field('listening', 'address')
	const all: Running[] = []
	const startMgmt = async (env: Record<string, string> = {}) => {
		const process = startProcess('mgmt', {
			...{ KUBECONFIG: api.kubeconfig, NAMESPACE, MGMT_ADDR: '127.0.0.1:0', INVENTORY_DB_PATH: join(folder, 'inventory.db') },
			...{ CONTRABASS_ENDPOINT: openstack.contrabassUrl, CONTRABASS_ENCRYPT_KEY: openstack.encryptKey },
			...{ VIOLA_ENDPOINT: violaUrl, VIOLA_TOKEN: violaToken, VIOLA_ALLOWED_PROVIDERS: `${NAMESPACE}=${PROVIDER}` },
			...{ POLL_FAST_INTERVAL: '200ms', POLL_SLOW_INTERVAL: '300ms', POLL_ERROR_INTERVAL: '200ms' },
			...env,
		})
		all.push(process)
		await process.field('watching OpenstackConfigs', 'address')
		return process
	}
	const mgmt = await startMgmt()
	return {
		api,
		client,
		openstack,
		violaUrl,
		violaToken,
		mgmt,
		startMgmt,
		folder,
		logs: () => viola.printed() + all.map(process => process.printed()).join(''),
		...objects(client),
		stop: async () => {
			await Promise.all([viola, ...all].map(process => process.stop()))
			await client.close()
			await openstack.stop()
			await api.stop()
			await rm(folder, { recursive: true })
		},
	}
}

function objects(client: KubeClient): Pick<World, 'applyConfig' | 'putSecret' | 'config' | 'nodeConfig'> {
	const at = (name: string) => ({ namespace: NAMESPACE, name })
	return {
		applyConfig: async (name, spec) => {
			await client.apply(OpenstackConfigKind, { metadata: at(name), spec } as OpenstackConfig)
		},
		putSecret: async (name, key, value) => {
			await client.apply(Secret, { metadata: at(name), data: { [key]: Buffer.from(value).toString('base64') } })
		},
		config: name => client.find(OpenstackConfigKind, at(name)),
		nodeConfig: async name => (await client.find(NodeConfigKind, at(name)))?.spec,
	}
}

export type Running = {
	printed(): string
	/** Waits for a line of the log with this message, and returns one of its fields. */
	field(message: string, name: string): Promise<string>
	/** Ends the process and waits for that. Default: SIGTERM. */
	stop(signal?: NodeJS.Signals): Promise<void>
}

function startProcess(room: string, env: Record<string, string>): Running {
	const child = spawn(process.execPath, [`${room}/main.ts`], {
		env: { PATH: process.env.PATH ?? '', ...env },
		stdio: ['ignore', 'pipe', 'pipe'],
	})
	let text = ''
	for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', chunk => (text += chunk))
	const ended = new Promise<void>(resolve => child.once('exit', () => resolve()))
	const stop = (signal: NodeJS.Signals = 'SIGTERM') => {
		child.kill(signal)
		return ended
	}
	return { printed: () => text, field: (message, name) => fieldOf(child, () => text, message, name), stop }
}

/** Waits for a line with this message and returns one of its fields. */
function fieldOf(child: ChildProcess, text: () => string, message: string, name: string): Promise<string> {
	return new Promise((resolve, reject) => {
		const look = () => {
			const line = text()
				.split('\n')
				.find(line => line.includes(`"${message}"`))
			if (line) resolve(String(parse(line)[name]))
		}
		child.stdout?.on('data', look)
		look()
		child.once('exit', () => reject(new Error(`ended before it logged "${message}":\n${text()}`)))
	})
}
