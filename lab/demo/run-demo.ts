import { NodeConfigKind } from '../../viola/cluster.ts'
import { namespace } from './cloud.ts'
import type { Journey, Leg } from './follow-port.ts'
import { attachPort, rebootAndLook, type Tell } from './port-actions.ts'
import type { Stage } from './demo.ts'

/** The result of the story; with the times before it, the line that `npm start -- --once --json` prints. */
export interface StoryEnd {
	/** The final state of the node config. */
	state: string
	/** The node of the story. */
	node: string
	/** Names of the NICs that are correct. */
	interfaces: readonly string[]
	/** Whether they were correct again after a reboot; undefined if there was none. */
	rebootKept?: boolean
	seconds: { portToConfigured: number; reboot?: number }
	/** How the time from the port to the end is spent: seconds from one leg to the next. */
	legs: Partial<Record<Leg, number>>
}

/**
 * Runs the product's own story: a port is attached to the last node's VM in OpenStack and becomes its `multinic0`, which survives a reboot
 * if one is requested.
 */
export async function productStory(stage: Stage, tell: Tell, { reboot }: { reboot: boolean }): Promise<StoryEnd> {
	const node = stage.lab.nodes.at(-1)?.name ?? ''
	const { wanted, journey } = await attachPort(stage, node, { tell })
	const told = { node, interfaces: [wanted.name], legs: durations(journey) }
	const portToConfigured = rounded(journey.Configured ?? 0)
	if (!reboot) return { state: await stateOf(stage, node), ...told, seconds: { portToConfigured } }
	const left = Date.now()
	const interfaces = await rebootAndLook(stage, node)
	const seconds = { portToConfigured, reboot: rounded(Date.now() - left) }
	tell(`${node} rebooted in ${seconds.reboot} s and ${interfaces.join(', ')} is right again`)
	return { state: await stateOf(stage, node), ...told, rebootKept: true, seconds }
}

async function stateOf({ client }: Stage, node: string): Promise<string> {
	const { status } = await client.get(NodeConfigKind, { namespace, name: node })
	return status?.state ?? 'Pending'
}

/** Returns how long each leg took, in seconds, after the one that was reached before it. */
export function durations(journey: Journey): StoryEnd['legs'] {
	const reached = Object.entries(journey).toSorted(([, one], [, other]) => one - other)
	return Object.fromEntries(reached.map(([leg, ms], i) => [leg, rounded(ms - (reached[i - 1]?.[1] ?? 0))]))
}

/** Returns milliseconds as seconds with one decimal. */
export function rounded(ms: number): number {
	return Math.round(ms / 100) / 10
}
