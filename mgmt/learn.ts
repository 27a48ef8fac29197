import type { Actor, Change } from './inventory/inventory.ts'
import type { Plan, World } from './plan.ts'

/** `applied`: names of the nodes that viola accepted. `at`: milliseconds since 1970. */
export type SentFacts = { plan: Plan; applied: ReadonlySet<string>; actor: Actor; at: number }

/** Returns what the inventory learns from a reconcile: the subnets, the nodes that viola accepted, and the ports that were detached from them. */
export function learnedFrom(world: World, facts: SentFacts): Change[] {
	return [...subnetsIn(world, facts), ...sentIn(world, facts), ...portsGone(world, facts)]
}

function subnetsIn({ subnets, networks }: World, { at }: SentFacts): Change[] {
	return subnets.map(({ id, name, cidr, network_id }) => {
		const { mtu, name: networkName } = networks.find(network => network.id === network_id) ?? {}
		return { kind: 'subnet', at, subnetId: id, subnet: { name, cidr, networkId: network_id, networkName, mtu } }
	})
}

function sentIn({ settings }: World, { plan, applied, actor, at }: SentFacts): Change[] {
	const { providerId } = settings
	const sent = plan.send.filter(({ nodeName }) => applied.has(nodeName))
	return sent.map(({ nodeName, instanceId, owner, interfaces }) => ({
		...{ kind: 'sent', at, actor, providerId, nodeName, instanceId, owner, interfaces },
	}))
}

/** A port that was an interface of a node, and that OpenStack no longer lists for its VM, is not an interface of that node again. */
function portsGone({ settings, inForce, ports }: World, { plan, applied, at }: SentFacts): Change[] {
	const attached = new Set(ports.map(({ id }) => id))
	const before = plan.send
		.filter(({ nodeName }) => applied.has(nodeName))
		.flatMap(({ nodeName }) => inForce.get(nodeName)?.interfaces ?? [])
	const gone = before.flatMap(({ portId }) => (portId === undefined || attached.has(portId) ? [] : portId))
	return gone.map(portId => ({ kind: 'portGone', at, providerId: settings.providerId, portId }))
}
