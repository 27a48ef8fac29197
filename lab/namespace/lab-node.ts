import type { MainProcess } from './main-process.ts'
import type { NewPort } from '../nodes/node.ts'
import type { Port } from '../nodes/attached-port.ts'
import type { RunOptions, CommandResult } from '../nodes/shell.ts'

/** A node of a running lab: a machine with its own kernel, and what a cloud can do to it. */
export interface LabNode {
	readonly name: string
	/** Runs a shell command on it as root. A failing command does not throw: see `exitCode`. */
	run(command: string, options?: RunOptions): Promise<CommandResult>
	/** Like `run`, returns stdout, and throws with stderr when the command fails. */
	ask(command: string, options?: RunOptions): Promise<string>
	/** Copies a file of this machine to the node. */
	copyFile(from: string, to: string, mode?: string): Promise<void>
	/** Attaches a port, as a cloud would: a NIC with that MAC appears within half a second, and is present after a reboot too. */
	attachPort(port: NewPort): Promise<Port>
	/** Detaches it. The kernel of the node releases only a NIC that is down, so it is set down first. */
	detachPort(mac: string): Promise<void>
	ports(): Promise<readonly Port[]>
	/** Reboots it cleanly; resolves when it is Ready again. */
	reboot(): Promise<void>
	/** Starts it; resolves when it is Ready. */
	powerOn(): Promise<void>
	/** Stops it as if its power was cut. */
	powerOff(): Promise<void>
}

/** Returns the node as it is reached from outside the lab's namespaces. */
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
