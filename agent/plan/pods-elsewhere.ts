import type { WantedInterface } from '../../contract/interface.ts'
import { ipOf, lengthOf, networkOf } from '../../contract/ip.ts'
import { rulesOf } from '../model/desired-rules.ts'
import type { HostState, Rule } from '../model/host-state.ts'
import { UNICAST } from '../model/origin.ts'
import { linksOf } from '../model/route.ts'
import type { Accepted } from '../model/selection.ts'
import { type Fib, lookup, type Way } from './fib.ts'
import type { OwnPacket } from './own-packets.ts'
import { addressIn, ownAddresses } from './sample-address.ts'

/** Maximum number of routes that are checked per pod network. */
const MOST = 8

type After = { after: Pick<HostState, 'links' | 'routes'>; then: Fib }

/**
 * Checks that packets from the addresses of an interface reach pods by the same route as packets without a source address. The routes may
 * differ if a rule not managed by MultiNIC precedes the rules of the interface, or if the latter bypass another table.
 *
 * @returns the packets that would take another route, each with that route
 */
export function awayFromPods(accepted: readonly Accepted[], { after, then }: After): { packet: OwnPacket; way: Way }[] {
	const all = accepted.map(one => ({ ...one, rules: podRulesOf(one.nic) }))
	const pods = podsIn(new Set(all.flatMap(({ rules }) => rules.map(({ to }) => to))), { after, then })
	return all.flatMap(({ nic, link, rules }) =>
		rules.flatMap(({ family, from, to }) =>
			(pods.get(to) ?? []).flatMap(({ pod, plain }) => {
				const packet = { id: nic.id, link: link.ifindex, family, from: ipOf(from), to: pod, sampleOf: 'pods' }
				const way = lookup(then, packet)
				return isSameWay(way, plain) ? [] : [{ packet, way }]
			}),
		),
	)
}

/** @returns the rules of an interface for the networks of pods */
function podRulesOf(nic: WantedInterface): (Pick<Rule, 'family' | 'from'> & { to: string })[] {
	return rulesOf(nic).flatMap(({ family, from, to }) => (to === undefined ? [] : [{ family, from, to }]))
}

/** `plain`: the route of a packet without a source address. */
type Pod = { pod: string; plain: Way }

/** @returns network → one destination of each of the first routes to the network or to a part of it */
function podsIn(networks: ReadonlySet<string>, { after, then }: After): Map<string, Pod[]> {
	const taken = ownAddresses(after)
	const networksOf = networksAround(networks)
	const found = new Map<string, Pod[]>()
	for (const { family, type, to } of after.routes) {
		if (type !== UNICAST) continue
		const around = networksOf(to).filter(network => (found.get(network)?.length ?? 0) < MOST)
		const pod = around.length > 0 ? addressIn(to, taken) : undefined
		if (pod === undefined) continue
		const plain = lookup(then, { family, to: pod })
		for (const network of around) found.set(network, [...(found.get(network) ?? []), { pod, plain }])
	}
	return found
}

/**
 * Returns a function that finds the networks that contain the destination of a route. A host may have 100,000 routes, so the function
 * compares prefix lengths and not every network.
 */
function networksAround(networks: ReadonlySet<string>): (to: string) => string[] {
	const lengths = [...new Set([...networks].map(lengthOf))]
	return to =>
		lengths
			.filter(length => length <= lengthOf(to))
			.map(length => networkOf(`${ipOf(to)}/${length}`))
			.filter(network => networks.has(network))
}

/** True if the node has no route to the pod, because then there is no route to preserve. */
function isSameWay(way: Way, plain: Way): boolean {
	if (!('route' in plain)) return true
	return 'route' in way && String(linksOf(way.route)) === String(linksOf(plain.route))
}
