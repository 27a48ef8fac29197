import { NodeConfigKind } from '../../viola/cluster.ts'
import { namespace } from './cloud.ts'
import type { Journey, Leg } from './follow.ts'
import { attachPort, rebootAndLook, type Tell } from './port.ts'
import type { Stage } from './stage.ts'

/** How the story went; with the times before it, the line that `npm start -- --once --json` prints. */
export interface StoryEnd {
	/** The state in which the node config ended. */
	state: string
	/** The node on which it happened. */
	node: string
	/** Names of the NICs that are right. */
	interfaces: readonly string[]
	/** Whether they were right again after a reboot; undefined when there was none. */
	rebootKept?: boolean
	seconds: { portToConfigured: number; reboot?: number }
	/** Where the time from the port to the end went: seconds from one leg to the next. */
	legs: Partial<Record<Leg, number>>
}

/**
 * The product's own story: a port is attached to the last node's VM in OpenStack and becomes its `multinic0`, which outlives a reboot when
 * one is wanted.
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

/** How long each leg took, in seconds, after the one that was reached before it. */
export function durations(journey: Journey): StoryEnd['legs'] {
	const reached = Object.entries(journey).toSorted(([, one], [, other]) => one - other)
	return Object.fromEntries(reached.map(([leg, ms], i) => [leg, rounded(ms - (reached[i - 1]?.[1] ?? 0))]))
}

/** Milliseconds as seconds with one digit after the point. */
export function rounded(ms: number): number {
	return Math.round(ms / 100) / 10
}
