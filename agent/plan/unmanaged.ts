import { basesOf, isOurRule, recordedBases, tableOf } from '../model/bases.ts'
import type { Address } from '../model/address.ts'
import { type ActionStep, actionStep, type Change, changesIn, type ChangeStep, changeStep, type Step } from '../model/change.ts'
import type { HostState, Link, Rule } from '../model/host-state.ts'
import type { RecordedLink } from '../model/record.ts'
import { linksOf, type Route, routeKey } from '../model/route.ts'
import type { Released, Selection } from '../model/selection.ts'
import { addressAdditions } from './lost-when-down.ts'
import { routesOn } from './routes.ts'

/**
 * Returns the links that a daemon manages and releases in this run, so that it does not restore what it configured. NetworkManager
 * releases a link on request, before any change. systemd-networkd does so when a link is down, or has a name that its file does not match.
 * Also returns links that networkd may configure by their new name, from files that it read when it started: it removes what other
 * programs added.
 */
export function managedLinks(steps: readonly Step[], { links, networkd }: HostState): Link[] {
	const changes = changesIn(steps)
	const touched = new Set(changes.flatMap(linksTouched))
	const moved = new Set(changes.filter(({ kind }) => kind === 'rename' || kind === 'down').flatMap(linksTouched))
	const renamed = new Set(changes.filter(({ kind }) => kind === 'rename' && networkd).flatMap(linksTouched))
	return links.filter(({ ifindex, managedBy }) => (managedBy === 'NetworkManager' ? touched : managedBy ? moved : renamed).has(ifindex))
}

/**
 * Returns the selection and the host as they may be after a daemon has released the links. systemd-networkd removes what it configured,
 * NetworkManager 1.42 keeps it (both measured), so the plan relies on neither. Adding what a link already has is safe.
 */
export function releaseFromDaemon(
	managed: readonly Link[],
	selection: Selection,
	host: HostState,
): { selection: Selection; host: HostState } {
	const indexes = new Set(managed.map(({ ifindex }) => ifindex))
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

/**
 * Returns additions of what a daemon may remove from a link that the run only renames, because its interface is refused: its addresses
 * and, if the link stays up, its routes. No other step adds these again. If the rename takes the link down, its routes are restored
 * together with everything else that it loses.
 */
export function restoredAfterRename(managed: readonly Link[], { accepted, released }: Selection, host: HostState): ChangeStep[] {
	const planned = new Set([...accepted, ...released].map(({ link }) => link?.ifindex))
	return managed
		.filter(({ ifindex, up }) => up && !planned.has(ifindex))
		.flatMap(link => {
			const routes = routesOn(link, host)
			const addresses = link.addresses.filter(({ global, dynamic }) => global && !dynamic).map(withoutLabel)
			const again = host.liveRename ? routes.map((route): Change => ({ kind: 'addRoute', route, replace: true })) : []
			return [...addressAdditions(addresses, link.ifindex, routes), ...again].map(change => ({ change }))
		})
}

/** A label begins with the name of the link, which has changed by then. */
function withoutLabel({ label: _, ...address }: Address): Address {
	return address
}

/** Adds `replace` to additions of routes that existed before, because these may still exist. */
export function asReplace(steps: readonly ChangeStep[], { routes }: HostState): ChangeStep[] {
	const there = new Set(routes.map(routeKey))
	return steps.map(step => {
		const { change } = step
		return change.kind === 'addRoute' && there.has(routeKey(change.route)) ? { ...step, change: { ...change, replace: true } } : step
	})
}

/** `up`: sets links up that may be down after their release. */
export type DaemonSteps = { first: ActionStep[]; up: ChangeStep[]; last: ActionStep[] }

/**
 * First NetworkManager releases the links that it manages. At the end it manages released links again if it managed them before MultiNIC.
 */
export function daemonSteps(managed: readonly Link[], { accepted, released, moves }: Selection, host: HostState): DaemonSteps {
	const ids = new Map(accepted.map(({ nic, link }) => [link.ifindex, nic.id]))
	const isReleased = (link: Link) => link.managedBy === 'NetworkManager' && managed.some(({ ifindex }) => ifindex === link.ifindex)
	const wasTheirs = ({ ours, link }: Released) => ours.original.managed === true && link?.managedBy === undefined
	const back = host.networkmanager ? released.flatMap(one => (one.link && (isReleased(one.link) || wasTheirs(one)) ? [one.link] : [])) : []
	const nameOf = (link: Link) => moves.find(move => move.link === link.ifindex)?.to ?? link.name
	const onRequest = managed.filter(({ managedBy }) => managedBy === 'NetworkManager')
	return {
		first: onRequest.map(({ ifindex, name }) => actionStep(ids.get(ifindex), { kind: 'unmanage', link: ifindex, name })),
		up: onRequest.flatMap(({ ifindex }) => (ids.has(ifindex) ? [changeStep(ids.get(ifindex), { kind: 'up', link: ifindex })] : [])),
		last: back.map(link => ({ action: { kind: 'manage', link: link.ifindex, name: nameOf(link) } })),
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
