import type { Failure } from '../../runtime/errors.ts'
import type { Refusal } from '../model/check.ts'
import { blaming, type Code, failure } from '../model/failure.ts'
import type { HostState } from '../model/host-state.ts'
import { isLinkLocal } from '../model/networks.ts'
import type { Accepted } from '../model/selection.ts'
import { fibOf, lookup } from '../plan/fib.ts'
import { touchedBy } from '../plan/fingerprint.ts'
import { type Answer, type LookupLoss, lookupLosses } from '../plan/lookup-losses.ts'
import { subjectOf } from '../plan/lookup-subject.ts'
import { type Lookup, lookupsOf } from '../plan/node-packets.ts'
import { type OwnPacket, ownPackets } from '../plan/own-packets.ts'
import type { Plan } from '../plan/plan.ts'
import { routedElsewhere } from '../plan/routed-elsewhere.ts'
import { ownAddresses } from '../plan/sample-address.ts'
import type { ProbedHost } from './probed-host.ts'

/** Which path the kernel uses for the packets of the node, as looked up before the change. */
export type Ways = { lookups: readonly Lookup[]; answers: readonly Answer[]; needed: readonly string[]; notes: readonly string[] }

/**
 * Looks up which path the kernel uses for the packets of the node, so that the same can be looked up after the change.
 *
 * @param needed addresses that the node depends on
 */
export async function askWays(
	host: ProbedHost,
	{ plan, before }: { plan: Plan; before: HostState },
	needed: readonly string[],
): Promise<Ways> {
	const { lookups, notes } = lookupsOf(before, subjectOf(plan, needed))
	return { lookups, notes, needed, answers: await answersTo(host, lookups, { plan, state: before }) }
}

/** Result after a change: packets of the node that take another path, and interfaces whose packets leave by another link. */
export type WaysAfter = { lost: LookupLoss[]; elsewhere: Map<number, Refusal> }

/** Looks everything up again, and for each desired address whether its packets leave by the interface's own link. */
export async function askWaysAgain(host: ProbedHost, { lookups, answers, needed }: Ways, { plan, state }: Done): Promise<WaysAfter> {
	const own = ownPackets(plan.accepted, state)
	const now = await answersTo(host, [...lookups, ...own], { plan, state }, answers)
	const lost = lookupLosses(lookups, { before: answers, after: now }, { touched: touchedBy(plan), needed, host: state })
	return { lost, elsewhere: wrongWays(own, now.slice(lookups.length), state) }
}
type Done = { plan: Plan; state: HostState }

/**
 * A packet without a source follows the rules for the address that the kernel chooses for it, so its path is looked up from there. If that
 * is an address of a link that the run may change, the kernel is queried again, in one process for all of them; all others are queried
 * anyway.
 *
 * @param before from a link-local address no packet went further than its link, so one that had such a source loses nothing
 */
async function answersTo(
	host: ProbedHost,
	lookups: readonly Lookup[],
	{ plan, state: { links } }: Done,
	before: readonly Answer[] = [],
): Promise<Answer[]> {
	const answers = await host.lookUp(lookups, links)
	const touched = touchedBy(plan)
	const ours = ownAddresses({ links: links.filter(({ ifindex }) => touched.has(ifindex)) })
	const chosen = answers.flatMap((answer, at) => {
		const packet = lookups[at]
		const source = sourceOf(answer)
		if (!packet || packet.from !== undefined || source === undefined || !ours.has(source)) return []
		return isLinkLocal(sourceOf(before[at]) ?? '') ? [] : [{ at, source, packet: { ...packet, from: source } }]
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

function sourceOf(answer: Answer | undefined): string | undefined {
	return answer && 'source' in answer ? answer.source : undefined
}

/** @returns the packets of the node that after a rollback still take another path than before the run */
export async function lostWays(host: ProbedHost, ways: Ways, { plan, state }: Done): Promise<LookupLoss[]> {
	const now = await answersTo(host, ways.lookups, { plan, state }, ways.answers)
	return lookupLosses(ways.lookups, { before: ways.answers, after: now }, { touched: touchedBy(plan), needed: ways.needed, host: state })
}

/** @returns why the run must be rolled back: packets of the node that take another path; blames the interfaces that they leave by now */
export function lossOfWays(losses: readonly LookupLoss[], { accepted }: Plan): Failure<Code> | undefined {
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

/** @returns id → why an interface that is configured as desired does not send by its own link */
export async function elsewhere(host: ProbedHost, accepted: readonly Accepted[], state: HostState): Promise<Map<number, Refusal>> {
	const own = ownPackets(accepted, state)
	return own.length === 0 ? new Map() : wrongWays(own, await host.lookUp(own, state.links), state)
}

function wrongWays(own: readonly OwnPacket[], answers: readonly Answer[], state: HostState): Map<number, Refusal> {
	const wrong = own.filter((packet, at) => !isOwn(answers[at], packet))
	if (wrong.length === 0) return new Map()
	const fib = fibOf(state)
	return new Map(wrong.toReversed().map(packet => [packet.id, routedElsewhere(packet, lookup(fib, packet), state)]))
}

function isOwn(answer: Answer | undefined, { link, local }: OwnPacket): boolean {
	if (answer === undefined || 'error' in answer) return false
	return local ? answer.local === true : answer.links.every(one => one === link)
}
