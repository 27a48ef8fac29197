import { isOurTable } from '../model/bases.ts'
import { changedFile, changesIn } from '../model/change.ts'
import type { HostState, Link } from '../model/host-state.ts'
import { identityOf } from '../model/link-identity.ts'
import { type Route, routeKey } from '../model/route.ts'
import { differences, touchable, touchedBy } from './fingerprint.ts'
import type { Plan } from './plan.ts'

/**
 * Returns what a rollback failed to restore, short enough for a status; empty: everything that the run touched is as before. Ignores what
 * other programs have added meanwhile: files that no step of the plan names, and addresses and routes that no step adds.
 *
 * @param now the host after the rollback
 */
export function notRestored(plan: Plan, before: HostState, now: HostState): string[] {
	const touched = touchedBy(plan)
	const paths = new Set(plan.steps.map(changedFile))
	return differences(
		touchable(withFiles(before, paths), touched, plan.bases),
		touchable(withFiles(withoutArrivals(plan, before, now), paths), touched, plan.bases),
	)
}

function withFiles(host: HostState, paths: ReadonlySet<string | undefined>): HostState {
	return { ...host, files: Object.fromEntries(Object.entries(host.files).filter(([path]) => paths.has(path))) }
}

/** Also omits a new link that has the ifindex of a deleted one. */
function withoutArrivals({ steps, bases }: Plan, before: HostState, now: HostState): HostState {
	const changes = changesIn(steps)
	const routes = new Set([...before.routes, ...changes.flatMap(change => (change.kind === 'addRoute' ? [change.route] : []))].map(routeKey))
	const given = new Set(changes.flatMap(change => (change.kind === 'addAddress' ? [change.address.cidr] : [])))
	const was = new Map(before.links.map(link => [link.ifindex, link]))
	const addressesOf = ({ ifindex, addresses }: Link) => {
		const had = new Set(was.get(ifindex)?.addresses.map(({ cidr }) => cidr))
		return addresses.filter(({ cidr }) => had.has(cidr) || given.has(cidr))
	}
	const isOfOurs = (route: Route) => isOurTable(route.table, bases) || routes.has(routeKey(route))
	const isSame = (link: Link) => identityOf(was.get(link.ifindex) ?? link) === identityOf(link)
	return {
		...now,
		links: now.links.filter(isSame).map(link => ({ ...link, addresses: addressesOf(link) })),
		routes: now.routes.filter(isOfOurs),
	}
}
