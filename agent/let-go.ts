import type { HostState, Link } from './host/state.ts'
import { routeTable } from '../contract/names.ts'
import { isOurRule, routeKey } from './routing.ts'
import type { Released, Selection } from './select.ts'
import { type Change, type Step, stepOf } from './steps.ts'

/** Links that NetworkManager has and these steps touch: it has to let go of them first, or it would put back what it gave them. */
export function heldLinks(steps: readonly Step[], { links }: HostState): Link[] {
	const touched = new Set(steps.flatMap(({ change }) => linkOf(change) ?? []))
	return links.filter(({ ifindex, managedBy }) => managedBy === 'NetworkManager' && touched.has(ifindex))
}

/**
 * The selection and the host as they may be once NetworkManager has let go. 1.42 leaves what it gave (measured), another version may
 * take it back; so nothing of that is taken for granted. What is given to a link that has it already does no harm.
 */
export function letGo(held: readonly Link[], selection: Selection, host: HostState): { selection: Selection; host: HostState } {
	const indexes = new Set(held.map(({ ifindex }) => ifindex))
	const bare = <T extends Link | undefined>(link: T): T =>
		link && indexes.has(link.ifindex) ? { ...link, up: false, addresses: link.addresses.filter(({ global }) => !global) } : link
	const isTheirs = ({ link }: { link?: number }) => link !== undefined && indexes.has(link)
	return {
		selection: {
			...selection,
			accepted: selection.accepted.map(accepted => ({ ...accepted, link: bare(accepted.link) })),
			released: selection.released.map(released => ({ ...released, link: bare(released.link) })),
		},
		host: {
			...host,
			links: host.links.map(bare),
			routes: host.routes.filter(route => !isTheirs(route)),
			rules: host.rules.filter(rule => !isOurRule(rule) || !tablesOf(selection, indexes).has(rule.table)),
		},
	}
}

/** What was there before may be there still. */
export function again(steps: readonly Step[], { routes }: HostState): Step[] {
	const there = new Set(routes.map(routeKey))
	return steps.map(step => {
		const { change } = step
		return change.kind === 'addRoute' && there.has(routeKey(change.route)) ? { ...step, change: { ...change, again: true } } : step
	})
}

/** NetworkManager lets go of the held links first, and takes up at the end what it had before it was ours. */
export function daemonSteps(
	held: readonly Link[],
	{ accepted, released, moves }: Selection,
	host: HostState,
): { first: Step[]; last: Step[] } {
	const ids = new Map(accepted.map(({ nic, link }) => [link.ifindex, nic.id]))
	const isHeld = (link: Link) => held.some(({ ifindex }) => ifindex === link.ifindex)
	const wasTheirs = ({ ours, link }: Released) => ours.original.managed === true && link?.managedBy === undefined
	const back = host.networkmanager ? released.flatMap(one => (one.link && (isHeld(one.link) || wasTheirs(one)) ? [one.link] : [])) : []
	const nameOf = (link: Link) => moves.find(move => move.link === link.ifindex)?.to ?? link.name
	return {
		first: held.map(({ ifindex, name }) => stepOf(ids.get(ifindex), { kind: 'unmanage', link: ifindex, name })),
		last: back.map(link => ({ change: { kind: 'manage', link: link.ifindex, name: nameOf(link) } })),
	}
}

function linkOf(change: Change): number | undefined {
	if ('link' in change) return change.link
	if ('route' in change) return change.route.link
	return 'neighbour' in change ? change.neighbour.link : undefined
}

function tablesOf({ accepted, released }: Selection, indexes: ReadonlySet<number>): Set<number> {
	const ids = [
		...accepted.filter(({ link }) => indexes.has(link.ifindex)).map(({ nic, ours }) => [nic.id, ours?.id ?? nic.id]),
		...released.filter(({ link }) => link && indexes.has(link.ifindex)).map(({ ours }) => [ours.id]),
	]
	return new Set(ids.flat().map(routeTable))
}
