import { layNetwork } from './network.ts'
import type { NodeStatus } from './node-status.ts'
import type { Port } from './port.ts'
import { until } from './process.ts'
import type { RunOptions, Said, Shell } from './shell.ts'
import type { Vm } from './vm.ts'

/** A port to be attached, as a cloud would. */
export interface NewPort {
	mac: string
	/** Default: "data". */
	network?: string
	/** Of the network, as "192.168.10.1/24"; it answers pings. */
	gateways?: readonly string[]
	/** Somebody on the network leases addresses: .100 to .199 of its first gateway's /24. */
	dhcp?: boolean
}

/** A node inside the lab: its machine, a shell on it, and what is said of it. */
export interface NodeInside {
	/** Starts the machine unless it is on; resolves when it is said to be ready in this boot. */
	powerOn(): Promise<void>
	powerOff(): Promise<void>
	/** A clean reboot from inside; resolves when it is said to be ready in a new boot. */
	reboot(): Promise<void>
	run(command: string, options?: RunOptions): Promise<Said>
	attachPort(port: NewPort): Promise<Port>
	detachPort(mac: string): Promise<void>
	ports(): readonly Port[]
}

/** Ready takes 18 s when the machine is idle; a machine that is busy gets its time. */
const bootPatienceMs = 240_000

/**
 * Ties together what makes a node.
 *
 * @param look what is said of it now: by its cluster, or by itself
 */
export function makeNode(vm: Vm, shell: Shell, look: () => Promise<NodeStatus | undefined>): NodeInside {
	const { node } = vm
	const bootId = async () => (await look())?.bootId
	// The cluster takes a node for Ready some 40 s after its plug was pulled: only a boot that is another one counts.
	const untilReady = async (before: string | undefined) => {
		const ask = async () => {
			const status = await look()
			return status?.ready === true && status.bootId !== before
		}
		await until(`${node.name} ready`, ask, { everyMs: 250, withinMs: bootPatienceMs, ended: [vm.ended()] })
	}
	return {
		async powerOn() {
			const before = vm.isOn() ? undefined : await bootId()
			await vm.powerOn()
			await untilReady(before)
		},
		async powerOff() {
			await vm.powerOff()
			await shell.hangUp(node)
		},
		async reboot() {
			const before = await bootId()
			await shell.run(node, 'systemctl reboot')
			await untilReady(before)
		},
		run: (command, options) => shell.run(node, command, options),
		async attachPort({ mac, network = 'data', gateways = [] }) {
			await layNetwork(network, gateways)
			return vm.attach({ mac: mac.toLowerCase(), network })
		},
		async detachPort(mac) {
			await shell.run(node, downByMac(mac.toLowerCase()))
			await vm.detach(mac.toLowerCase())
		},
		ports: vm.ports,
	}
}

/** Sets the NIC with that permanent MAC down. sysfs has the current one, which nobody changes here. */
function downByMac(mac: string): string {
	return `for nic in /sys/class/net/*; do [ "$(cat $nic/address)" = ${mac} ] && ip link set "\${nic##*/}" down; done; true`
}
