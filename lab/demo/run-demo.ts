import { NodeConfigKind } from '../../viola/model/node-config-kind.ts'
import { namespace } from './cloud.ts'
import type { MilestoneTimes, Milestone } from './follow-port.ts'
import { attachPort, rebootAndCheck, type Print } from './port-actions.ts'
import type { Demo } from './demo.ts'

/** The result of the demo. `npm start -- --once --json` prints it with the setup times added. */
export interface DemoResult {
	/** The final state of the node config. */
	state: string
	/** The node of the demo. */
	node: string
	/** Names of the NICs that are correct. */
	interfaces: readonly string[]
	/** true if the NICs were correct again after a reboot; undefined if there was none. */
	rebootKept?: boolean
	seconds: { portToConfigured: number; reboot?: number }
	/** For each milestone, the seconds since the previous one. */
	milestones: Partial<Record<Milestone, number>>
}

/**
 * Runs the demo: attaches a port to the last node's VM in OpenStack and waits until it is configured as `multinic0`. Then reboots the node
 * if requested, and checks the NIC again.
 */
export async function runDemo(demo: Demo, print: Print, { reboot }: { reboot: boolean }): Promise<DemoResult> {
	const node = demo.lab.nodes.at(-1)?.name ?? ''
	const { expected, times } = await attachPort(demo, node, { print })
	const known = { node, interfaces: [expected.name], milestones: durations(times) }
	const portToConfigured = rounded(times.Configured ?? 0)
	if (!reboot) return { state: await stateOf(demo, node), ...known, seconds: { portToConfigured } }
	const began = Date.now()
	const interfaces = await rebootAndCheck(demo, node)
	const seconds = { portToConfigured, reboot: rounded(Date.now() - began) }
	print(`${node} rebooted in ${seconds.reboot} s and ${interfaces.join(', ')} is correct again`)
	return { state: await stateOf(demo, node), ...known, rebootKept: true, seconds }
}

async function stateOf({ client }: Demo, node: string): Promise<string> {
	const { status } = await client.get(NodeConfigKind, { namespace, name: node })
	return status?.state ?? 'Pending'
}

/** Returns, for each milestone, the seconds since the previous one. */
export function durations(times: MilestoneTimes): DemoResult['milestones'] {
	const reached = Object.entries(times).toSorted(([, one], [, other]) => one - other)
	return Object.fromEntries(reached.map(([milestone, ms], i) => [milestone, rounded(ms - (reached[i - 1]?.[1] ?? 0))]))
}

/** Converts milliseconds to seconds with one decimal. */
export function rounded(ms: number): number {
	return Math.round(ms / 100) / 10
}
