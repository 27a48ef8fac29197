import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { bareSeed, bareStatus, type NewMachine } from '../nodes/bare-machine.ts'
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts'
import { serveLeases } from '../nodes/dhcp.ts'
import { type Identity, identities, management } from '../nodes/identity.ts'
import type { Kit } from '../kit/kit.ts'
import { layManagement } from '../nodes/network.ts'
import { makeNode, type NewPort, type NodeInside } from '../nodes/node.ts'
import { type NodeStatus, nodeStatus } from '../nodes/node-status.ts'
import { startRelay } from './relay.ts'
import { serve } from './rpc.ts'
import { nodeSeed, type SeedFiles, writeSeed } from '../nodes/seed.ts'
import { makeShell, type RunOptions, type Shell } from '../nodes/shell.ts'
import { makeVm } from '../nodes/vm.ts'

/** The settings that the outside passes as JSON on the command line. */
export interface InsideSettings {
	/** The lab's folder. */
	dir: string
	kit: Kit
	/** Environment in which the distribution's programs are found. */
	env: Record<string, string>
	/** The disk from which all nodes start. */
	disk: string
	nodes: number
	/** Memory of each node. */
	megabytes: number
}

/** What the outside calls. */
export type Inside = Awaited<ReturnType<typeof start>>

/** Files in the lab's folder through which the two sides communicate. */
export const sockets = { calls: 'calls.sock', biz: 'biz.sock', mgmt: 'mgmt.sock' } as const

const ports = { biz: 443, mgmt: 6444 } as const

if (import.meta.main) await main(JSON.parse(process.argv[2] ?? '{}') as InsideSettings)

/**
 * The lab's main process: the first of its process namespace, so that all processes end when it does. It ends when the process that started
 * it is gone, which closes its standard input.
 */
async function main(settings: InsideSettings): Promise<void> {
	for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(0)) // PID 1 ignores them otherwise
	process.stdin.resume().once('close', () => process.exit(0))
	Object.assign(process.env, settings.env)
	await serve(join(settings.dir, sockets.calls), await start(settings))
}

async function start(settings: InsideSettings) {
	const { dir, kit, env } = settings
	const memoryDir = await mountMemory(dir)
	const all = identities(settings.nodes)
	await layManagement(all)
	const shell = await makeShell(dir, env)
	const nodes = new Map<string, NodeInside>()
	const node = (name: string) => found(nodes, name)

	return {
		/** Starts both clusters, without nodes. */
		async startClusters() {
			const names = all.map(({ name }) => name)
			const more = { advertise: management.gateway, nodes: names, controllerManager: true, scheduler: true }
			const [biz, mgmt] = await Promise.all([
				startControlPlane({ name: 'biz', dir: join(dir, 'biz'), kit, port: ports.biz, ...more }),
				startControlPlane({ name: 'mgmt', dir: join(dir, 'mgmt'), kit, port: ports.mgmt }),
			])
			await letKubeletsBeRead(kit, biz)
			for (const name of ['biz', 'mgmt'] as const)
				await startRelay({ path: join(dir, sockets[name]) }, { host: '127.0.0.1', port: ports[name] })
			for (const one of all) {
				const seed = nodeSeed(one, { name: 'biz', ca: biz.ca, token: biz.nodeTokens[one.name] ?? '', sshKey: shell.publicKey })
				nodes.set(one.name, await nodeOf(settings, { one, shell, memoryDir, seed, look: () => nodeStatus(biz, one.name) }))
			}
			return { biz: pick(biz), mgmt: pick(mgmt) }
		},
		/** Makes a machine that belongs to no cluster and is powered off. */
		async makeMachine(name: string, machine: NewMachine) {
			const one = all.find(identity => identity.name === name)
			if (!one) throw new Error(`no place for a machine ${name}`)
			const seed = bareSeed(one, machine, shell.publicKey)
			const { kernelArguments = [] } = machine
			nodes.set(name, await nodeOf(settings, { one, shell, memoryDir, seed, kernelArguments, look: () => bareStatus(one, shell) }))
		},
		powerOn: async (name: string) => node(name).powerOn(),
		powerOff: async (name: string) => node(name).powerOff(),
		reboot: async (name: string) => node(name).reboot(),
		run: async (name: string, command: string, options?: RunOptions) => node(name).run(command, options),
		async attachPort(name: string, port: NewPort) {
			if (port.dhcp) await serveLeases(dir, port)
			return node(name).attachPort(port)
		},
		detachPort: async (name: string, mac: string) => node(name).detachPort(mac),
		ports: async (name: string) => node(name).ports(),
	}
}

/** Mounts a tmpfs, which is gone with the mount namespace. */
async function mountMemory(dir: string): Promise<string> {
	const folder = join(dir, 'memory')
	await mkdir(folder)
	await execa('mount', ['-t', 'tmpfs', '-o', 'size=100%', 'memory', folder])
	return folder
}

function found(nodes: Map<string, NodeInside>, name: string): NodeInside {
	const node = nodes.get(name)
	if (!node) throw new Error(`no node ${name}; there are ${[...nodes.keys()].join(', ') || 'none yet'}`)
	return node
}

function pick({ ca, token }: ControlPlane) {
	return { ca, token }
}

interface NodeParts {
	one: Identity
	shell: Shell
	memoryDir: string
	seed: SeedFiles
	kernelArguments?: readonly string[]
	look: () => Promise<NodeStatus | undefined>
}

async function nodeOf(
	settings: InsideSettings,
	{ one, shell, memoryDir, seed: files, look, kernelArguments = [] }: NodeParts,
): Promise<NodeInside> {
	const dir = join(settings.dir, one.name)
	const seed = join(settings.dir, `${one.name}-seed`)
	await writeSeed(seed, files)
	const { disk, megabytes, env, kit } = settings
	return makeNode(makeVm({ node: one, dir, disk, seed, megabytes, memoryDir, kernelArguments, env, mconsole: kit.mconsole }), shell, look)
}

/** Allows logs and exec: the API server authenticates to kubelets, which ask the API server for authorization. */
async function letKubeletsBeRead(kit: Kit, { kubeconfig }: ControlPlane): Promise<void> {
	const binding = ['clusterrolebinding', 'apiserver-kubelet', '--clusterrole=system:kubelet-api-admin']
	await execa(kit.kubectl, ['--kubeconfig', kubeconfig, 'create', ...binding, '--user=kube-apiserver-kubelet-client'])
}
