import { createNetwork } from './network.ts'
import type { NodeStatus } from './node-status.ts'
import type { Port } from './attached-port.ts'
import { until } from '../base/daemon.ts'
import type { RunOptions, CommandResult, Shell } from './shell.ts'
import type { Vm } from './vm.ts'

/** A port to attach as a cloud does. */
export interface NewPort {
	mac: string
	/** Name of the network. Default: "data". */
	network?: string
	/** Gateway addresses of the network, such as "192.168.10.1/24". Each responds to pings. */
	gateways?: readonly string[]
	/** Whether to run a DHCP server on the network, for .100 to .199 of its first gateway's /24. */
	dhcp?: boolean
}

/** A node as the main process manages it: its machine, a shell on it, and its status. */
export interface Node {
	/** Powers the machine on unless it is on. Resolves when its status is ready in this boot. */
	powerOn(): Promise<void>
	powerOff(): Promise<void>
	/** Reboots the machine cleanly, from inside. Resolves when its status is ready in a new boot. */
	reboot(): Promise<void>
	run(command: string, options?: RunOptions): Promise<CommandResult>
	attachPort(port: NewPort): Promise<Port>
	detachPort(mac: string): Promise<void>
	ports(): readonly Port[]
}

/** A node is Ready after 18 s on an idle host; a busy host gets more time. */
const bootPatienceMs = 240_000

/**
 * Creates a node from its machine, a shell and its status.
 *
 * @param readStatus returns the current status, which the cluster or the node itself reports
 */
export function makeNode(vm: Vm, shell: Shell, readStatus: () => Promise<NodeStatus | undefined>): Node {
	const { node } = vm
	const bootId = async () => (await readStatus())?.bootId
	// The cluster still reports a node as Ready for about 40 s after a power cut, so only a new boot ID is accepted.
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

/** Returns a command that sets the NIC with this MAC down. sysfs shows the current MAC, which here always equals the permanent one. */
function downByMac(mac: string): string {
	return `for nic in /sys/class/net/*; do [ "$(cat $nic/address)" = ${mac} ] && ip link set "\${nic##*/}" down; done; true`
}
