import { createNetwork } from './network.ts'
import type { NodeStatus } from './node-status.ts'
import type { Port } from './attached-port.ts'
import { until } from '../base/daemon.ts'
import type { RunOptions, CommandResult, Shell } from './shell.ts'
import type { Vm } from './vm.ts'

/** A port to attach, as a cloud would. */
export interface NewPort {
	mac: string
	/** Default: "data". */
	network?: string
	/** Of the network, such as "192.168.10.1/24"; each answers pings. */
	gateways?: readonly string[]
	/** Whether leases are served on the network: .100 to .199 of its first gateway's /24. */
	dhcp?: boolean
}

/** A node as the main process has it: its machine, a shell on it, and its status. */
export interface Node {
	/** Starts the machine unless it is on; resolves when it is reported ready in this boot. */
	powerOn(): Promise<void>
	powerOff(): Promise<void>
	/** Reboots it cleanly from inside; resolves when it is reported ready in a new boot. */
	reboot(): Promise<void>
	run(command: string, options?: RunOptions): Promise<CommandResult>
	attachPort(port: NewPort): Promise<Port>
	detachPort(mac: string): Promise<void>
	ports(): readonly Port[]
}

/** Ready takes 18 s when the machine is idle; a busy machine gets more time. */
const bootPatienceMs = 240_000

/**
 * Combines what makes a node.
 *
 * @param readStatus returns its current status: from its cluster, or from itself
 */
export function makeNode(vm: Vm, shell: Shell, readStatus: () => Promise<NodeStatus | undefined>): Node {
	const { node } = vm
	const bootId = async () => (await readStatus())?.bootId
	// The cluster reports a node as Ready for some 40 s after its power was cut: only another boot counts.
	const untilReady = async (before: string | undefined) => {
		const isReady = async () => {
			const status = await readStatus()
			return status?.ready === true && status.bootId !== before
		}
		await until(`${node.name} ready`, isReady, { everyMs: 250, withinMs: bootPatienceMs, ended: [vm.ended()] })
	}
	return {
		async powerOn() {
			const before = vm.isOn() ? undefined : await bootId()
			await vm.powerOn()
			await untilReady(before)
		},
		async powerOff() {
			await vm.powerOff()
			await shell.disconnect(node)
		},
		async reboot() {
			const before = await bootId()
			await shell.run(node, 'systemctl reboot')
			await untilReady(before)
		},
		run: (command, options) => shell.run(node, command, options),
		async attachPort({ mac, network = 'data', gateways = [] }) {
			await createNetwork(network, gateways)
			return vm.attach({ mac: mac.toLowerCase(), network })
		},
		async detachPort(mac) {
			await shell.run(node, downByMac(mac.toLowerCase()))
			await vm.detach(mac.toLowerCase())
		},
		ports: vm.ports,
	}
}

/** Sets the NIC with this permanent MAC down. sysfs has the current MAC, which is not changed here. */
function downByMac(mac: string): string {
	return `for nic in /sys/class/net/*; do [ "$(cat $nic/address)" = ${mac} ] && ip link set "\${nic##*/}" down; done; true`
}
