import type { HostState, Link, Route, Rule } from '../host/state.ts'
import { basesOf, isOurRule, recordedBases, tableOf } from './bases.ts'
import { linksOf, routeKey } from './routing.ts'
import type { RecordedLink } from './record.ts'
import type { Released, Selection } from './selection.ts'
import { type Change, type Step, stepOf } from './steps.ts'

/**
 * Links that a daemon has and that it lets go of in this run, so that it does not put back what it gave them: NetworkManager because it
 * is told to, before anything is touched; systemd-networkd by itself, once a link is down or has a name that its file is not for. And links
 * that networkd may take up by their new name, as it read of it when it started: it then takes away what others gave them.
 */
export function heldLinks(steps: readonly Step[], { links, networkd }: HostState): Link[] {
	const changes = steps.map(({ change }) => change)
	const touched = new Set(changes.flatMap(linksTouched))
	const moved = new Set(changes.flatMap(change => (change.kind === 'rename' || change.kind === 'down' ? [change.link] : [])))
	const renamed = new Set(changes.flatMap(change => (change.kind === 'rename' && networkd ? [change.link] : [])))
	return links.filter(({ ifindex, managedBy }) => (managedBy === 'NetworkManager' ? touched : managedBy ? moved : renamed).has(ifindex))
}

/**
 * The selection and the host as they may be once a daemon has let go. systemd-networkd takes back what it gave, NetworkManager 1.42
 * leaves it (both measured); so nothing of that is taken for granted. What is given to a link that has it already does no harm.
 */
export function letGo(held: readonly Link[], selection: Selection, host: HostState): { selection: Selection; host: HostState } {
	const indexes = new Set(held.map(({ ifindex }) => ifindex))
	const bare = <T extends Link | undefined>(link: T): T =>
		link && indexes.has(link.ifindex) ? { ...link, addresses: link.addresses.filter(({ global }) => !global) } : link
	const isTheirs = (route: Route) => linksOf(route).some(link => indexes.has(link))
	const tables = tablesOf(selection, indexes)
	const mayGo = (rule: Rule) => isOurRule(rule, selection.bases) && (rule.to !== undefined || tables.has(rule.table))
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
			rules: host.rules.filter(rule => !mayGo(rule)),
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

/** `up`: what letting go may have set down. */
export type DaemonSteps = { first: Step[]; up: Step[]; last: Step[] }

/** NetworkManager releases the held links first, and takes up at the end what it had before it was ours. */
export function daemonSteps(held: readonly Link[], { accepted, released, moves }: Selection, host: HostState): DaemonSteps {
	const ids = new Map(accepted.map(({ nic, link }) => [link.ifindex, nic.id]))
	const isHeld = (link: Link) => link.managedBy === 'NetworkManager' && held.some(({ ifindex }) => ifindex === link.ifindex)
	const wasTheirs = ({ ours, link }: Released) => ours.original.managed === true && link?.managedBy === undefined
	const back = host.networkmanager ? released.flatMap(one => (one.link && (isHeld(one.link) || wasTheirs(one)) ? [one.link] : [])) : []
	const nameOf = (link: Link) => moves.find(move => move.link === link.ifindex)?.to ?? link.name
	const told = held.filter(({ managedBy }) => managedBy === 'NetworkManager')
	return {
		first: told.map(({ ifindex, name }) => stepOf(ids.get(ifindex), { kind: 'unmanage', link: ifindex, name })),
		up: told.flatMap(({ ifindex }) => (ids.has(ifindex) ? [stepOf(ids.get(ifindex), { kind: 'up', link: ifindex })] : [])),
		last: back.map(link => ({ change: { kind: 'manage', link: link.ifindex, name: nameOf(link) } })),
	}
}

function linksTouched(change: Change): number[] {
	if ('link' in change) return [change.link]
	if ('route' in change) return linksOf(change.route)
	return 'neighbour' in change ? [change.neighbour.link] : []
}

function tablesOf({ accepted, released }: Selection, indexes: ReadonlySet<number>): Set<number> {
	const tables = [
		...accepted
			.filter(({ link }) => indexes.has(link.ifindex))
			.flatMap(({ nic, ours }) => [tableOf(nic.id, basesOf(nic)), ...tablesRecorded(ours)]),
		...released.filter(({ link }) => link && indexes.has(link.ifindex)).flatMap(({ ours }) => tablesRecorded(ours)),
	]
	return new Set(tables)
}

function tablesRecorded(ours: RecordedLink | undefined): number[] {
	return ours ? recordedBases(ours).map(bases => tableOf(ours.id, bases)) : []
}
