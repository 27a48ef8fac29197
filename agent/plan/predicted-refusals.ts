import { type Refusal, refusalOf, type Row } from '../model/check.ts'
import type { HostState, Link } from '../model/host-state.ts'
import type { Selection } from '../model/selection.ts'
import { type Fib, fibOf, lookup } from './fib.ts'
import { answerOf, type LookupLoss, lookupLosses, packetWords } from './lookup-losses.ts'
import { subjectOf } from './lookup-subject.ts'
import { packetsOf } from './node-packets.ts'
import { ownPackets } from './own-packets.ts'
import { awayFromPods } from './pods-elsewhere.ts'
import { predictedHost } from './predicted-host.ts'
import { isOwnWay, routedElsewhere } from './routed-elsewhere.ts'

/** Refusals based on the routing model, as rows of the table in docs/agent/reference.md. */
export const predictedRows: readonly Row[] = [
	{
		reason: 'InUse',
		when: 'packets of the node would leave through it instead of their current link, or would have no route: because of `routes` in the main table, a default route, or another rule',
		see: 'ip route get 10.96.0.1',
	},
	{
		reason: 'RoutedElsewhere',
		when: 'packets from a desired address would leave through another link, because another rule takes precedence over that of the interface',
		see: 'ip rule show priority 110',
	},
	{
		reason: 'RoutedElsewhere',
		when: 'packets from a desired address to the node itself would leave the node, because the rule of the local table was moved after that of the interface',
		see: 'ip rule show priority 32000',
	},
	{
		reason: 'RoutedElsewhere',
		when: 'packets from a desired address would stay on the node, because an address of `lo` or a route makes its network local',
		see: 'ip addr show dev lo',
	},
	{
		reason: 'RoutedElsewhere',
		when: 'the NIC has no carrier, and `ignore_routes_with_linkdown` is 1',
		see: 'ip link show dev ens7',
	},
]

/**
 * Predicts routing failures of the node or of an interface. Uses a model of the kernel, because the kernel itself cannot look up the route
 * of a packet from an address that the host does not have yet.
 *
 * @param paths addresses that the node depends on
 * @returns id → why the interface is refused before anything is changed
 */
export function predictedRefusals(selection: Selection, paths: readonly string[], host: HostState): Map<number, Refusal> {
	if (selection.accepted.length === 0) return new Map()
	const after = predictedHost(selection, host)
	const now = fibOf(host)
	const then = after === host ? now : fibOf(after)
	const losses = after === host ? [] : predictedLosses(selection, { paths, now, then }, host)
	return new Map([...elsewhere(selection, { host, after, then }), ...losses])
}

type Prediction = { paths: readonly string[]; now: Fib; then: Fib }

function predictedLosses(selection: Selection, { paths, now, then }: Prediction, host: HostState): [number, Refusal][] {
	const { touched, ...subject } = subjectOf(selection, paths)
	const { packets } = packetsOf(host, { touched, ...subject }, now)
	const answers = (fib: Fib) => packets.map(packet => answerOf(lookup(fib, packet)))
	const found = lookupLosses(packets, { before: answers(now), after: answers(then) }, { touched, needed: paths, host })
	return found.toReversed().flatMap(loss => {
		const id = causeOf(loss, selection)
		return id === undefined ? [] : [[id, redirected(loss, selection, { needed: paths, links: host.links })] as [number, Refusal]]
	})
}

/** Returns the interface through which the packets would leave; if they would have no route, the one through which they leave now. */
function causeOf({ before, after }: LookupLoss, { accepted }: Selection): number | undefined {
	const links = 'links' in after ? after.links : 'links' in before ? before.links : []
	return accepted.find(({ link }) => links.includes(link.ifindex))?.nic.id
}

type PacketContext = { needed: readonly string[]; links: readonly Link[] }

function redirected({ packet, before, after }: LookupLoss, { accepted }: Selection, known: PacketContext): Refusal {
	const name = (ids: readonly number[]) =>
		known.links
			.filter(({ ifindex }) => ids.includes(ifindex))
			.map(one => one.name)
			.join(' and ')
	const nic = accepted.find(({ link }) => 'links' in after && after.links.includes(link.ifindex))?.nic.name
	const was = 'links' in before ? `leave through ${name(before.links)}` : 'are rejected'
	const is = nic === undefined ? 'would have no route' : `would leave through ${nic}`
	return refusalOf('InUse', { says: `${packetWords(packet, known)} ${was} now and ${is}`, see: `ip route get ${packet.to}` })
}

type Then = { host: HostState; after: Pick<HostState, 'links' | 'routes'>; then: Fib }

function elsewhere({ accepted }: Selection, { host, after, then }: Then): [number, Refusal][] {
	const own = ownPackets(accepted, after)
		.map(packet => ({ packet, way: lookup(then, packet) }))
		.filter(({ packet, way }) => !isOwnWay(way, packet))
	const found = [...own, ...awayFromPods(accepted, { after, then })]
	return found.toReversed().map(({ packet, way }) => [packet.id, routedElsewhere(packet, way, host)])
}
