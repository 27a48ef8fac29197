import type { ControlPlane } from './control-plane.ts'
import { layNetwork } from './network.ts'
import { nodeStatus } from './node-status.ts'
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
}

/** A node inside the lab: its machine, a shell on it, and what the cluster says of it. */
export interface NodeInside {
	powerOn(): Promise<void>
	powerOff(): Promise<void>
	/** Resolves when the cluster says the node is Ready, with its boot id. */
	untilReady(withinMs?: number): Promise<string>
	/** A clean reboot from inside; resolves when the cluster says the node is Ready again in a new boot. */
	reboot(): Promise<void>
	run(command: string, options?: RunOptions): Promise<Said>
	attachPort(port: NewPort): Promise<Port>
	detachPort(mac: string): Promise<void>
	ports(): readonly Port[]
}

/** Ready takes 18 s when the machine is idle; a machine that is busy gets its time. */
const bootPatienceMs = 240_000

/** Ties together what makes a node. */
export function makeNode(vm: Vm, shell: Shell, plane: ControlPlane): NodeInside {
	const { node } = vm
	const untilBoot = async (isNew: (bootId: string) => boolean, withinMs: number) => {
		let bootId = ''
		const ask = async () => {
			const status = await nodeStatus(plane, node.name)
			bootId = status?.bootId ?? ''
			return status?.ready === true && isNew(bootId)
		}
		await until(`${node.name} Ready`, ask, { everyMs: 250, withinMs, ended: [vm.ended()] })
		return bootId
	}
	return {
		powerOn: vm.powerOn,
		powerOff: vm.powerOff,
		untilReady: (withinMs = bootPatienceMs) => untilBoot(() => true, withinMs),
		async reboot() {
			const before = (await nodeStatus(plane, node.name))?.bootId
			await shell.run(node, 'systemctl reboot')
			await untilBoot(bootId => bootId !== before, bootPatienceMs)
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
