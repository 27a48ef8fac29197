import { ipOf, isInside } from '../../contract/ip.ts'
import { rulesOf } from '../model/desired-rules.ts'
import type { HostState } from '../model/host-state.ts'
import { UNICAST } from '../model/origin.ts'
import { linksOf } from '../model/route.ts'
import type { Accepted } from '../model/selection.ts'
import { type Fib, lookup, type Way } from './fib.ts'
import type { OwnPacket } from './own-packets.ts'
import { addressIn, ownAddresses } from './sample-address.ts'

/** Maximum number of routes to a pod network that are checked. */
const MOST = 8

type After = { after: Pick<HostState, 'links' | 'routes'>; then: Fib }

/**
 * Checks what an interface promises for pods: packets from its addresses reach them by the same route as packets without a source address.
 * A rule not managed by MultiNIC that comes before those of the interface, or a table that these bypass, may lead elsewhere.
 *
 * @returns the packets that would take another route, each with that route
 */
export function awayFromPods(accepted: readonly Accepted[], { after, then }: After): { packet: OwnPacket; way: Way }[] {
	const taken = ownAddresses(after)
	const samples = new Map<string, string[]>()
	return accepted.flatMap(({ nic, link }) =>
		rulesOf(nic).flatMap(({ family, from, to }) => {
			if (to === undefined) return []
			const pods = samples.get(to) ?? podsIn(to, after, taken)
			samples.set(to, pods)
			return pods.flatMap(pod => {
				const packet = { id: nic.id, link: link.ifindex, family, from: ipOf(from), to: pod, sampleOf: 'pods' }
				const way = lookup(then, packet)
				return isSameWay(way, lookup(then, { family, to: pod })) ? [] : [{ packet, way }]
			})
		}),
	)
}

/** @returns an address behind each of the first routes to a network or into it */
function podsIn(network: string, { routes }: After['after'], taken: ReadonlySet<string>): string[] {
	const found: string[] = []
	for (const { type, to } of routes) {
		if (found.length === MOST) break
		const pod = type === UNICAST && isInside(to, network) ? addressIn(to, taken) : undefined
		if (pod !== undefined) found.push(pod)
	}
	return found
}

/** If the node has no route to a pod, nothing is promised. */
function isSameWay(way: Way, plain: Way): boolean {
	if (!('route' in plain)) return true
	return 'route' in way && String(linksOf(way.route)) === String(linksOf(plain.route))
}
