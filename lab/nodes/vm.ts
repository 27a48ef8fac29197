import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import type { Identity } from './identity.ts'
import { createTap, removeTap } from './network.ts'
import { nicArgument, type Port, plug, tapName } from './attached-port.ts'
import { type Daemon, startDaemon } from '../base/daemon.ts'

/** Options of a node's machine. */
export interface VmOptions {
	node: Identity
	/** The machine's own directory, for its disk, ports and console log. */
	dir: string
	/** The disk from which all nodes start; never written. */
	disk: string
	/** The directory that labinit copies over `/`. */
	seed: string
	/** Memory in MiB; the kernel allocates it only as it is used. */
	megabytes: number
	/** The tmpfs in which User-Mode-Linux keeps the machine's memory. */
	memoryDir: string
	/** Additional parameters of the kernel command line: `ipv6.disable=1`. */
	kernelArguments?: readonly string[]
	env: Readonly<Record<string, string>>
	mconsole: string
}

/** A node's machine, and the operations that a cloud offers for it. */
export interface Vm {
	readonly node: Identity
	readonly ports: () => readonly Port[]
	isOn(): boolean
	powerOn(): Promise<void>
	/** Stops the machine as if its power were cut. */
	powerOff(): Promise<void>
	/** Plugs a NIC in, whether the machine is on or off. */
	attach(port: Omit<Port, 'index'>): Promise<Port>
	/** Unplugs a NIC. If the machine is on, the NIC must be down, because this kernel does not release a NIC that is up. */
	detach(mac: string): Promise<void>
	/** Resolves with a sentence when the machine is off for any reason. Never rejects. */
	ended(): Promise<string>
}

/** Returns a machine that is off, with only the management port. */
export function makeVm(options: VmOptions): Vm {
	const { node, dir } = options
	let ports: readonly Port[] = []
	let daemon: Daemon | undefined

	const keep = async (next: readonly Port[]) => {
		ports = next
		await writePorts(options, ports)
	}
	const isOn = () => daemon !== undefined
	return {
		node,
		ports: () => ports,
		isOn,
		ended: async () => daemon?.ended ?? `${node.name} is off`,
		async powerOn() {
			if (isOn()) return
			await mkdir(dir, { recursive: true })
			await keep(ports)
			await createTap(tapName(node, 0), undefined)
			daemon = startDaemon({ name: node.name, argv: commandLine(options), logFile: join(dir, 'console.log'), env: environment(options) })
			void daemon.ended.then(() => {
				daemon = undefined
			})
		},
		async powerOff() {
			if (!daemon) return
			const { ended } = daemon
			await sendToConsole(options, 'halt')
			await ended
		},
		async attach(port) {
			const plan = plug(ports, port)
			await createTap(tapName(node, plan.plugged.index), port.network)
			if (isOn()) await sendToConsole(options, 'config', nicArgument(node, plan.plugged))
			await keep(plan.ports)
			return plan.plugged
		},
		async detach(mac) {
			const port = ports.find(one => one.mac === mac)
			if (!port) throw new Error(`${mac} is not attached to ${node.name}`)
			if (isOn()) await sendToConsole(options, 'remove', `vec${port.index}`)
			await removeTap(tapName(node, port.index))
			await keep(ports.filter(one => one !== port))
		},
	}
}

/** Writes the list of ports atomically, by a rename, because the node may reboot and read it at any moment. */
async function writePorts({ node, dir }: VmOptions, ports: readonly Port[]): Promise<void> {
	const nics = [{ mac: node.mac, index: 0 }, ...ports].map(port => nicArgument(node, port))
	await mkdir(dir, { recursive: true })
	await writeFile(join(dir, 'ports.new'), `${nics.join('\n')}\n`)
	await rename(join(dir, 'ports.new'), join(dir, 'ports'))
}

function commandLine({ node, dir, disk, seed, megabytes, kernelArguments = [] }: VmOptions): [string, ...string[]] {
	return [
		join(import.meta.dirname, '../uml/uml-run.sh'),
		`mem=${megabytes}M`,
		`umid=${node.name}`,
		`uml_dir=${dir}`,
		`ubd0=${join(dir, 'cow.img')},${disk}`,
		'root=/dev/ubda',
		'rw',
		'init=/sbin/labinit',
		`lab.seed=${seed}`,
		`lab.ports=${join(dir, 'ports')}`,
		'con=null',
		'con0=null,fd:1',
		'ssl=null',
		'systemd.unit=multi-user.target',
		...kernelArguments,
	]
}

function environment({ env, memoryDir }: VmOptions): Record<string, string> {
	return { ...env, TMPDIR: memoryDir }
}

async function sendToConsole({ node, dir, mconsole }: VmOptions, ...command: string[]): Promise<void> {
	await execa(mconsole, [join(dir, node.name, 'mconsole'), ...command], { timeout: 30_000 })
}
