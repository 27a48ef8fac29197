import { contains, ipOf } from '../../contract/ip.ts'
import type { HostState, Link, Rule } from '../model/host-state.ts'
import { isLinkLocal } from '../model/networks.ts'
import { linksOf, MAIN } from '../model/route.ts'
import type { Packet, Way } from './fib.ts'
import { LOCAL } from './own-packets.ts'
import { destinationWords, ownAddresses } from './sample-address.ts'

/** The result of a lookup, by the kernel or by the model of it. */
export type LookupAnswer =
	/**
	 * `links`: ifindexes of the links through which the packet may leave; `source`: the source address that the kernel would choose, if the
	 * packet has none; `whole`: the whole route, if it has several next hops; `local`: the packet stays on this host; `far`: it is sent to
	 * a next hop.
	 */
	| { links: readonly number[]; source?: string; whole?: string; local?: true; far?: true }
	/** The error message of the kernel. */
	| { error: string }

/** One packet of the node that takes another route than before. */
export type LookupLoss = { key: string; packet: Packet; before: LookupAnswer; after: LookupAnswer; words: string }

/** The error message of the kernel if no route matches. */
export const NO_ROUTE = 'Network is unreachable'

/** @returns the lookup result of the model */
export function answerOf(way: Way): LookupAnswer {
	if ('route' in way) return { links: linksOf(way.route), ...(way.route.type === LOCAL && { local: true }) }
	return { error: way.rule ? 'rejected by a rule or a route' : NO_ROUTE }
}

/** `host`: the host after the change. */
type Judging = { touched: ReadonlySet<number>; needed: readonly string[]; host: Pick<HostState, 'links' | 'rules'> }

/**
 * Returns the packets that take another route than before: through another link, from another source, or no route at all. The node config
 * may change a route over a link that the run changes: this is a loss only if an address that the node needs no longer has any route;
 * probes show whether another route works. A packet that had no route or no source may get one.
 *
 * @param touched ifindexes of the links that the run may change
 * @param needed addresses that the node depends on
 */
export function lookupLosses(
	packets: readonly Packet[],
	{ before, after }: { before: readonly LookupAnswer[]; after: readonly LookupAnswer[] },
	{ touched, needed, host }: Judging,
): LookupLoss[] {
	return packets.flatMap((packet, at) => {
		const [was, is] = [before[at], after[at]]
		if (!was || !is || wentWithItsLink(packet, was, { touched, host }) || !isLost({ packet, was, is }, { touched, needed, host })) return []
		return [
			{ key: `way ${JSON.stringify(packet)}`, packet, before: was, after: is, words: lossWords(packet, { was, is }, { needed, host }) },
		]
	})
}

function isLost({ packet, was, is }: { packet: Packet; was: LookupAnswer; is: LookupAnswer }, { touched, needed, host }: Judging): boolean {
	if ('error' in was) return was.error !== NO_ROUTE && !('error' in is && is.error === was.error)
	const isOverOurs = was.links.some(link => touched.has(link))
	if ('error' in is) return !isOverOurs || needed.includes(packet.to)
	if (isOverOurs) return false
	return (
		String(was.links) !== String(is.links) ||
		isOtherSource(packet, { was: was.source, is: is.source, far: is.far }, host) ||
		was.whole !== is.whole
	)
}

/**
 * Whether the input link, the source address or all output links of the packet have disappeared; runs never delete links, but a
 * terminating pod can.
 */
function wentWithItsLink({ from, iif }: Packet, was: LookupAnswer, { touched, host }: Omit<Judging, 'needed'>): boolean {
	const there = new Set(host.links.map(({ ifindex }) => ifindex))
	if (iif !== undefined ? !there.has(iif) : from !== undefined && !ownAddresses(host).has(from)) return true
	return 'links' in was && was.links.length > 0 && was.links.every(link => !there.has(link) && !touched.has(link))
}

type Sources = { was: string | undefined; is: string | undefined; far?: true | undefined }

/**
 * Whether another source address is a loss. It is not a loss if there was no source, because then no reply reached this host, or if the old
 * source is link-local, because its packets do not leave the link, or has disappeared. It is also not a loss if a rule sends packets from
 * the new source to the main table, as the rules of MultiNIC do for pods; but a destination that is reached over a next hop, such as
 * another node, may have no route back to the new source.
 */
function isOtherSource({ to }: Packet, { was, is, far }: Sources, { links, rules }: Judging['host']): boolean {
	if (was === is || was === undefined) return false
	return !isLinkLocal(was) && ownAddresses({ links }).has(was) && (far === true || !rules.some(rule => isByMain(rule, { from: is, to })))
}

function isByMain({ plain, from, to, table }: Rule, packet: { from: string | undefined; to: string }): boolean {
	return plain && table === MAIN && to !== undefined && contains(to, packet.to) && ipOf(from) === packet.from && !from.endsWith('/0')
}

function lossWords(
	packet: Packet,
	{ was, is }: { was: LookupAnswer; is: LookupAnswer },
	{ needed, host: { links } }: Omit<Judging, 'touched'>,
): string {
	return `${packetWords(packet, { needed, links })} ${wayWords(was, links)} before the change and ${wayWords(is, links)} after it`
}

/** @returns `packets from 192.168.9.2 with mark 0x400 to 10.96.0.1` */
export function packetWords(
	{ from, to, iif, mark, uid, protocol }: Packet,
	{ needed, links }: { needed: readonly string[]; links: readonly Link[] },
): string {
	const name = links.find(({ ifindex }) => ifindex === iif)?.name
	return [
		'packets',
		from === undefined ? '' : `from ${from}`,
		name === undefined ? '' : `that arrive on ${name}`,
		mark === undefined ? '' : `with mark 0x${mark.toString(16)}`,
		uid === undefined ? '' : `of user ${uid}`,
		protocol === undefined ? '' : `of protocol ${protocol}`,
		`to ${destinationWords(to, needed)}`,
	]
		.filter(Boolean)
		.join(' ')
}

function wayWords(answer: LookupAnswer, links: readonly Link[]): string {
	if ('error' in answer) return `have no route (${answer.error})`
	const names = answer.links.map(link => links.find(({ ifindex }) => ifindex === link)?.name ?? `ifindex ${link}`)
	return `leave through ${names.join(' and ') || 'no link'}${answer.source === undefined ? '' : ` from ${answer.source}`}`
}
