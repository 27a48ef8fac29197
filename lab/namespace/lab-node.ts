import type { MainProcess } from './main-process.ts'
import type { NewPort } from '../nodes/node.ts'
import type { Port } from '../nodes/attached-port.ts'
import type { RunOptions, CommandResult } from '../nodes/shell.ts'

/** A node of a running lab: a machine with its own kernel, and the operations that a cloud offers for it. */
export interface LabNode {
	readonly name: string
	/** Runs a shell command on the node as root. Does not throw if the command fails: check `exitCode`. */
	run(command: string, options?: RunOptions): Promise<CommandResult>
	/** Like `run`, but returns stdout, and throws an error with stderr if the command fails. */
	ask(command: string, options?: RunOptions): Promise<string>
	/** Copies a local file to the node. */
	copyFile(from: string, to: string, mode?: string): Promise<void>
	/** Attaches a port as a cloud does: a NIC with that MAC appears within half a second, and is still present after a reboot. */
	attachPort(port: NewPort): Promise<Port>
	/** Detaches the port with this MAC. Sets its NIC down first, because the node's kernel releases only a NIC that is down. */
	detachPort(mac: string): Promise<void>
	ports(): Promise<readonly Port[]>
	/** Reboots the node cleanly. Resolves when it is Ready again. */
	reboot(): Promise<void>
	/** Powers the node on. Resolves when it is Ready. */
	powerOn(): Promise<void>
	/** Stops the node as if its power were cut. */
	powerOff(): Promise<void>
}

/** Returns a handle to the node that works outside the lab's namespaces. */
export function labNode(name: string, mainProcess: MainProcess): LabNode {
	const ask = async (command: string, options: RunOptions = {}) => {
		const result = await mainProcess.run(name, command, options)
		if (result.exitCode !== 0) throw new Error(`${name}: ${command}: exit code ${result.exitCode}: ${result.stderr.trim()}`)
		return result.stdout
	}
	return {
		name,
		ask,
		run: (command, options = {}) => mainProcess.run(name, command, options),
		async copyFile(from, to, mode = '0644') {
			await ask(`cat >'${to}' && chmod ${mode} '${to}'`, { inputFile: from })
		},
		attachPort: port => mainProcess.attachPort(name, port),
		detachPort: mac => mainProcess.detachPort(name, mac),
		ports: () => mainProcess.ports(name),
		reboot: () => mainProcess.reboot(name),
		powerOn: () => mainProcess.powerOn(name),
		powerOff: () => mainProcess.powerOff(name),
	}
}
