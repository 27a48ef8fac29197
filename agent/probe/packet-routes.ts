import type { Failure } from '../../runtime/errors.ts'
import type { Refusal } from '../model/check.ts'
import { blaming, type Code, failure } from '../model/failure.ts'
import type { HostState } from '../model/host-state.ts'
import { isLinkLocal } from '../model/networks.ts'
import type { Accepted } from '../model/selection.ts'
import { fibOf, lookup } from '../plan/fib.ts'
import { touchedBy } from '../plan/fingerprint.ts'
import { type LookupAnswer, type LookupLoss, lookupLosses } from '../plan/lookup-losses.ts'
import { subjectOf } from '../plan/lookup-subject.ts'
import { type Lookup, lookupsOf } from '../plan/node-packets.ts'
import { type OwnPacket, ownPackets } from '../plan/own-packets.ts'
import type { Plan } from '../plan/plan.ts'
import { routedElsewhere } from '../plan/routed-elsewhere.ts'
import { ownAddresses } from '../plan/sample-address.ts'
import type { ProbedHost } from './probed-host.ts'

/** The kernel's routes for the packets of the node, as looked up before the change. */
export type PacketRoutes = {
	lookups: readonly Lookup[]
	answers: readonly LookupAnswer[]
	needed: readonly string[]
	notes: readonly string[]
}

/**
 * Looks up the kernel's routes for the packets of the node, so that they can be compared with those after the change.
 *
 * @param needed addresses that the node depends on
 */
export async function lookUpRoutes(
	host: ProbedHost,
	{ plan, before }: { plan: Plan; before: HostState },
	needed: readonly string[],
): Promise<PacketRoutes> {
	const { lookups, notes } = lookupsOf(before, subjectOf(plan, needed))
	return { lookups, notes, needed, answers: await lookUpAll(host, lookups, { plan, state: before }) }
}

/** Result after a change: packets of the node that take another path, and interfaces whose packets leave through another link. */
export type RoutesAfter = { lost: LookupLoss[]; elsewhere: Map<number, Refusal> }

/** Repeats all lookups, and checks for each desired address whether its packets leave through the interface's own link. */
export async function lookUpRoutesAgain(
	host: ProbedHost,
	{ lookups, answers, needed }: PacketRoutes,
	{ plan, state }: AfterChange,
): Promise<RoutesAfter> {
	const own = ownPackets(plan.accepted, state)
	const now = await lookUpAll(host, [...lookups, ...own], { plan, state }, answers)
	const lost = lookupLosses(lookups, { before: answers, after: now }, { touched: touchedBy(plan), needed, host: state })
	return { lost, elsewhere: wrongRoutes(own, now.slice(lookups.length), state) }
}
type AfterChange = { plan: Plan; state: HostState }

/**
 * A packet without a source follows the rules for the source address that the kernel chooses, so its route is looked up again from that
 * address. This second query is needed only if the address is on a link that the run may change, because the others are looked up anyway.
 * One process makes all second queries.
 *
 * @param before the answers before the change
 */
async function lookUpAll(
	host: ProbedHost,
	lookups: readonly Lookup[],
	{ plan, state: { links } }: AfterChange,
	before: readonly LookupAnswer[] = [],
): Promise<LookupAnswer[]> {
	const answers = await host.lookUp(lookups, links)
	const touched = touchedBy(plan)
	const ours = ownAddresses({ links: links.filter(({ ifindex }) => touched.has(ifindex)) })
	const chosen = answers.flatMap((answer, at) => {
		const packet = lookups[at]
		const source = sourceOf(answer)
		if (!packet || packet.from !== undefined || source === undefined || !ours.has(source)) return []
		return wentNoFurther(before[at]) ? [] : [{ at, source, packet: { ...packet, from: source } }]
	})
	const again = await host.lookUp(
		chosen.map(({ packet }) => packet),
		links,
	)
	for (const [nth, { at, source }] of chosen.entries()) {
		const then = again[nth]
		if (then) answers[at] = 'error' in then ? then : { ...then, source }
	}
	return answers
}

/**
 * A packet from a link-local address does not leave its link. A packet to a next hop that had such a source before therefore loses nothing.
 */
function wentNoFurther(answer: LookupAnswer | undefined): boolean {
	return isLinkLocal(sourceOf(answer) ?? '') && answer !== undefined && 'far' in answer
}

function sourceOf(answer: LookupAnswer | undefined): string | undefined {
	return answer && 'source' in answer ? answer.source : undefined
}

/** @returns the packets of the node that take another path after a rollback than before the run */
export async function lostRoutes(host: ProbedHost, routes: PacketRoutes, { plan, state }: AfterChange): Promise<LookupLoss[]> {
	const now = await lookUpAll(host, routes.lookups, { plan, state }, routes.answers)
	return lookupLosses(
		routes.lookups,
		{ before: routes.answers, after: now },
		{ touched: touchedBy(plan), needed: routes.needed, host: state },
	)
}

/** @returns why the run must be rolled back: packets of the node take another path. Blames the interfaces through which they now leave. */
export function failureForLosses(losses: readonly LookupLoss[], { accepted }: Plan): Failure<Code> | undefined {
	const [first] = losses
	if (!first) return
	const blames = losses.flatMap(({ after, words }) => {
		const nic = accepted.find(({ link }) => 'links' in after && after.links.includes(link.ifindex))?.nic
		return nic ? [{ id: nic.id, message: words }] : []
	})
	const once = [...new Map(blames.toReversed().map(blame => [blame.id, blame])).values()]
	const lost = losses.map(({ key }) => key)
	if (once.length > 0) return blaming('CONNECTIVITY_LOST', once, lost)
	return failure('CONNECTIVITY_LOST', first.words, { hops: losses.map(({ packet }) => packet.to), lost })
}

/** @returns ID → why the packets of an interface that is configured as desired do not leave through its own link */
export async function interfacesRoutedElsewhere(
	host: ProbedHost,
	accepted: readonly Accepted[],
	state: HostState,
): Promise<Map<number, Refusal>> {
	const own = ownPackets(accepted, state)
	return own.length === 0 ? new Map() : wrongRoutes(own, await host.lookUp(own, state.links), state)
}

function wrongRoutes(own: readonly OwnPacket[], answers: readonly LookupAnswer[], state: HostState): Map<number, Refusal> {
	const wrong = own.filter((packet, at) => !isOwnRoute(answers[at], packet))
	if (wrong.length === 0) return new Map()
	const fib = fibOf(state)
	return new Map(wrong.toReversed().map(packet => [packet.id, routedElsewhere(packet, lookup(fib, packet), state)]))
}

function isOwnRoute(answer: LookupAnswer | undefined, { link, local }: OwnPacket): boolean {
	if (answer === undefined || 'error' in answer) return false
	return local ? answer.local === true : answer.links.every(one => one === link)
}
