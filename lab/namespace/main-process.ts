import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { bareSeed, bareStatus, type NewMachine } from '../nodes/bare-machine.ts'
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts'
import { startDhcp } from '../nodes/dhcp.ts'
import { type Identity, identities, management } from '../nodes/identity.ts'
import type { Kit } from '../kit/kit.ts'
import { createManagementNetwork } from '../nodes/network.ts'
import { makeNode, type NewPort, type Node } from '../nodes/node.ts'
import { type NodeStatus, nodeStatus } from '../nodes/node-status.ts'
import { startRelay } from './relay.ts'
import { serve } from './rpc.ts'
import { nodeSeed, type SeedFiles, writeSeed } from '../nodes/seed.ts'
import { makeShell, type RunOptions, type Shell } from '../nodes/shell.ts'
import { type ServiceNetwork, startServiceNetwork } from '../services/service-network.ts'
import { makeVm } from '../nodes/vm.ts'

/** Settings that the starting process passes as JSON on the command line. */
export interface MainProcessSettings {
	/** The lab's directory. */
	dir: string
	kit: Kit
	/** Environment variables with which the distribution's programs are found. */
	env: Record<string, string>
	/** The disk from which all nodes start. */
	disk: string
	nodes: number
	/** Memory of each node, in MiB. */
	megabytes: number
}

/** The methods that can be called from outside the namespaces. */
export type MainProcess = Awaited<ReturnType<typeof start>>

/** Sockets in the lab's directory through which the main process and the clusters are reached from outside. */
export const sockets = { calls: 'calls.sock', biz: 'biz.sock', mgmt: 'mgmt.sock' } as const

const ports = { biz: 443, mgmt: 6444 } as const

if (import.meta.main) await main(JSON.parse(process.argv[2] ?? '{}') as MainProcessSettings)

/**
 * The lab's main process. It is PID 1 of its PID namespace, so that all processes in it end when it does. It exits when the process that
 * started it exits, which closes its standard input.
 */
async function main(settings: MainProcessSettings): Promise<void> {
	for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(0)) // PID 1 ignores them by default
	process.stdin.resume().once('close', () => process.exit(0))
	Object.assign(process.env, settings.env)
	await serve(join(settings.dir, sockets.calls), await start(settings))
}

async function start(settings: MainProcessSettings) {
	const { dir, env } = settings
	const memoryDir = await mountMemory(dir)
	const all = identities(settings.nodes)
	await createManagementNetwork(all)
	const shell = await makeShell(dir, env)
	const nodes = new Map<string, Node>()
	let services: ServiceNetwork | undefined
	const node = (name: string) => findNode(nodes, name)
	const addNode = async (parts: Omit<NodeParts, 'shell' | 'memoryDir'>) => {
		nodes.set(parts.identity.name, await nodeOf(settings, { ...parts, shell, memoryDir }))
	}

	return {
		/** Starts both clusters, with the nodes still powered off. */
		async startClusters() {
			const { biz, mgmt } = await startControlPlanes(settings, all)
			for (const identity of all) {
				const seed = nodeSeed(identity, { name: 'biz', ca: biz.ca, token: biz.nodeTokens[identity.name] ?? '', sshKey: shell.publicKey })
				await addNode({ identity, seed, readStatus: () => nodeStatus(biz, identity.name) })
			}
			services = await startServices(settings, biz, all[0])
			return { biz: credentialsOf(biz), mgmt: credentialsOf(mgmt) }
		},
		/** Resolves when pods and nodes reach the Services of the biz cluster. */
		untilServicesReady: async () => services?.ready(),
		/** Creates a machine that belongs to no cluster. It is powered off. */
		async makeMachine(name: string, machine: NewMachine) {
			const identity = all.find(known => known.name === name)
			if (!identity) throw new Error(`unknown machine name ${name}`)
			const seed = bareSeed(identity, machine, shell.publicKey)
			const { kernelArguments = [] } = machine
			await addNode({ identity, seed, kernelArguments, readStatus: () => bareStatus(identity, shell) })
		},
		/** Relays connections that nodes and pods make to this port of the management gateway to a socket outside the namespaces. */
		relayFromNodes: async (port: number, path: string) => void (await startRelay({ host: management.gateway, port }, { path })),
		powerOn: async (name: string) => node(name).powerOn(),
		powerOff: async (name: string) => node(name).powerOff(),
		reboot: async (name: string) => node(name).reboot(),
		run: async (name: string, command: string, options?: RunOptions) => node(name).run(command, options),
		async attachPort(name: string, port: NewPort) {
			if (port.dhcp) await startDhcp(dir, port)
			return node(name).attachPort(port)
		},
		detachPort: async (name: string, mac: string) => node(name).detachPort(mac),
		ports: async (name: string) => node(name).ports(),
	}
}

/** Starts the control planes of both clusters, and the sockets through which the outside reaches them. */
async function startControlPlanes({ dir, kit }: MainProcessSettings, nodes: readonly Identity[]) {
	const names = nodes.map(({ name }) => name)
	const more = { advertise: management.gateway, nodes: names, controllerManager: true, scheduler: true }
	const [biz, mgmt] = await Promise.all([
		startControlPlane({ name: 'biz', dir: join(dir, 'biz'), kit, port: ports.biz, ...more }),
		startControlPlane({ name: 'mgmt', dir: join(dir, 'mgmt'), kit, port: ports.mgmt }),
	])
	await allowKubeletAccess(kit, biz)
	for (const name of ['biz', 'mgmt'] as const)
		await startRelay({ path: join(dir, sockets[name]) }, { host: '127.0.0.1', port: ports[name] })
	return { biz, mgmt }
}

async function startServices({ dir, kit }: MainProcessSettings, { kubeconfig }: ControlPlane, first?: Identity): Promise<ServiceNetwork> {
	return startServiceNetwork({ binary: kit['kube-proxy'], dir: join(dir, 'biz'), kubeconfig, node: first?.name ?? '' })
}

/** Mounts a tmpfs, which disappears with the mount namespace. */
async function mountMemory(dir: string): Promise<string> {
	const folder = join(dir, 'memory')
	await mkdir(folder)
	await execa('mount', ['-t', 'tmpfs', '-o', 'size=100%', 'memory', folder])
	return folder
}

function findNode(nodes: Map<string, Node>, name: string): Node {
	const node = nodes.get(name)
	if (!node) throw new Error(`no node ${name}; there are ${[...nodes.keys()].join(', ') || 'none yet'}`)
	return node
}

function credentialsOf({ ca, token }: ControlPlane) {
	return { ca, token }
}

interface NodeParts {
	identity: Identity
	shell: Shell
	memoryDir: string
	seed: SeedFiles
	kernelArguments?: readonly string[]
	readStatus: () => Promise<NodeStatus | undefined>
}

async function nodeOf(
	settings: MainProcessSettings,
	{ identity, shell, memoryDir, seed: files, readStatus, kernelArguments = [] }: NodeParts,
): Promise<Node> {
	const dir = join(settings.dir, identity.name)
	const seed = join(settings.dir, `${identity.name}-seed`)
	await writeSeed(seed, files)
	const { disk, megabytes, env, kit } = settings
	return makeNode(
		makeVm({ node: identity, dir, disk, seed, megabytes, memoryDir, kernelArguments, env, mconsole: kit.mconsole }),
		shell,
		readStatus,
	)
}

/**
 * Grants the permissions for logs and exec: a kubelet authenticates the API server's requests, then asks the API server to authorize them.
 */
async function allowKubeletAccess(kit: Kit, { kubeconfig }: ControlPlane): Promise<void> {
	const binding = ['clusterrolebinding', 'apiserver-kubelet', '--clusterrole=system:kubelet-api-admin']
	await execa(kit.kubectl, ['--kubeconfig', kubeconfig, 'create', ...binding, '--user=kube-apiserver-kubelet-client'])
}
