import { join } from 'node:path'
import type { RunConfig } from '../../contract/agent-run.ts'
import type { Interface } from '../../contract/interface.ts'
import type { NewMachine } from '../nodes/bare-machine.ts'
import { baseImageTree } from '../images/container-images.ts'
import { identities } from '../nodes/identity.ts'
import type { MainProcess } from '../namespace/main-process.ts'
import { type LabNode, labNode } from '../namespace/lab-node.ts'
import { type Agents, type AgentOptions, type AgentRun, prepareAgents, type StartedAgent } from './machine-agent.ts'
import { startNamespace } from '../namespace/namespace.ts'
import { prepareLab } from './prepare.ts'
import { step } from '../base/progress.ts'
import { makeRunDir } from '../base/run-dir.ts'

/** The machines to start. */
export interface MachinesOptions {
	machines: readonly NewMachine[]
	/** Memory of each machine in MiB; default: 512. */
	megabytes?: number
}

/** A machine without Kubernetes. It is ready when its boot has finished and SSH works. */
export interface BareMachine extends LabNode {
	/**
	 * Runs the real agent on the machine to completion, as in its pod: in its own mount and PID namespaces, with the machine's `/` at
	 * /host.
	 */
	agent(interfaces: readonly Partial<Interface>[], more?: Partial<RunConfig>, options?: AgentOptions): Promise<AgentRun>
	/** Like `agent`, but does not wait for the end, so that a test can change the machine during the run. */
	startAgent(interfaces: readonly Partial<Interface>[], more?: Partial<RunConfig>, options?: AgentOptions): Promise<StartedAgent>
}

/** Running machines. */
export interface Machines extends AsyncDisposable {
	/** In the requested order: node1, node2, … */
	readonly machines: readonly BareMachine[]
	/** The machines' own directory, which `stop` removes. */
	readonly dir: string
	/** Resolves when the machines have ended without being stopped, with the last output. */
	readonly ended: Promise<string>
	/** Stops all machines. */
	stop(): Promise<void>
}

/**
 * Starts machines for the agent alone: with the disk, kernel and networks of a lab's nodes, but without clusters. They run in their own
 * namespaces, as child processes of the current process. Throws `Missing` if the host cannot run them.
 */
export async function startMachines({ machines, megabytes = 512 }: MachinesOptions): Promise<Machines> {
	const { kit, packages, disk } = await prepareLab(machines.length)
	const runDir = await makeRunDir('bare')
	const dir = runDir.path
	const namespace = await startNamespace({ dir, kit, env: packages.env, disk, nodes: machines.length, megabytes })
	const stop = async () => {
		await namespace.stop()
		await runDir.remove()
	}
	try {
		const image = await baseImageTree(packages)
		const agents = await prepareAgents(join(dir, 'agents'), join(image, 'usr/bin'))
		const started = identities(machines.length).map(({ name }, at) =>
			boot(name, { machine: machines[at], mainProcess: namespace.mainProcess, agents }),
		)
		return { machines: await Promise.all(started), dir, ended: namespace.ended, stop, [Symbol.asyncDispose]: stop }
	} catch (error) {
		await stop()
		throw error
	}
}

type Parts = { machine: NewMachine | undefined; mainProcess: MainProcess; agents: Agents }

async function boot(name: string, { machine = { network: 'networkd' }, mainProcess, agents }: Parts): Promise<BareMachine> {
	const node = labNode(name, mainProcess)
	await mainProcess.makeMachine(name, machine)
	for (const port of machine.ports ?? []) await node.attachPort(port)
	await step(`${name} up (${machine.network})`, () => node.powerOn())
	const start: BareMachine['startAgent'] = (interfaces, more, options) => agents.start(node, { interfaces, more, options })
	return { ...node, startAgent: start, agent: async (...input) => (await start(...input)).ended }
}
