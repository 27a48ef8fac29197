import { NodeConfigKind } from '../../viola/cluster.ts'
import { namespace } from './cloud.ts'
import type { MilestoneTimes, Milestone } from './follow-port.ts'
import { attachPort, rebootAndCheck, type Print } from './port-actions.ts'
import type { Demo } from './demo.ts'

/** The result of the demo; with the times before it, the line that `npm start -- --once --json` prints. */
export interface DemoResult {
	/** The final state of the node config. */
	state: string
	/** The node of the demo. */
	node: string
	/** Names of the NICs that are correct. */
	interfaces: readonly string[]
	/** Whether they were correct again after a reboot; undefined if there was none. */
	rebootKept?: boolean
	seconds: { portToConfigured: number; reboot?: number }
	/** How the time from the port to the end is spent: seconds from one milestone to the next. */
	milestones: Partial<Record<Milestone, number>>
}

/**
 * Runs the demo: a port is attached to the last node's VM in OpenStack and becomes its `multinic0`, which survives a reboot
 * if one is requested.
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
	print(`${node} rebooted in ${seconds.reboot} s and ${interfaces.join(', ')} is right again`)
	return { state: await stateOf(demo, node), ...known, rebootKept: true, seconds }
}

async function stateOf({ client }: Demo, node: string): Promise<string> {
	const { status } = await client.get(NodeConfigKind, { namespace, name: node })
	return status?.state ?? 'Pending'
}

/** Returns how long each milestone took, in seconds, after the one that was reached before it. */
export function durations(times: MilestoneTimes): DemoResult['milestones'] {
	const reached = Object.entries(times).toSorted(([, one], [, other]) => one - other)
	return Object.fromEntries(reached.map(([milestone, ms], i) => [milestone, rounded(ms - (reached[i - 1]?.[1] ?? 0))]))
}

/** Returns milliseconds as seconds with one decimal. */
export function rounded(ms: number): number {
	return Math.round(ms / 100) / 10
}
