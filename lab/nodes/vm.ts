import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import type { Identity } from './identity.ts'
import { createTap, removeTap } from './network.ts'
import { nicArgument, type Port, plug, tapName } from './attached-port.ts'
import { type Daemon, startDaemon } from '../base/daemon.ts'

/** The parts of a node's machine. */
export interface VmOptions {
	node: Identity
	/** Its own folder: disk, ports, console log. */
	dir: string
	/** The disk from which all nodes start; never written. */
	disk: string
	/** The folder that labinit copies over `/`. */
	seed: string
	/** Memory; the kernel allocates it only as it is used. */
	megabytes: number
	/** Where User-Mode-Linux keeps the memory: a tmpfs. */
	memoryDir: string
	/** Additional parameters of the kernel command line: `ipv6.disable=1`. */
	kernelArguments?: readonly string[]
	env: Readonly<Record<string, string>>
	mconsole: string
}

/** A node's machine, with the calls that a cloud has for it. */
export interface Vm {
	readonly node: Identity
	readonly ports: () => readonly Port[]
	isOn(): boolean
	powerOn(): Promise<void>
	/** Stops it as if its power was cut. */
	powerOff(): Promise<void>
	/** Plugs a NIC in, while the machine runs or before. */
	attach(port: Omit<Port, 'index'>): Promise<Port>
	/** Unplugs a NIC. While the machine runs the NIC must be down: this kernel does not release one that is up. */
	detach(mac: string): Promise<void>
	/** Resolves with a sentence when it is off, regardless of the cause; never rejects. */
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

/** Writes the ports in one rename, because the node may reboot and read them at any moment. */
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
