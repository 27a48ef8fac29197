import type { HostState, Route } from '../host/state.ts'
import { differences, touchable, touchedBy } from './fingerprint.ts'
import type { Plan } from './plan.ts'
import { AUTOMATIC, linksOf, routeKey } from './routing.ts'

/**
 * What an undo had to bring back and has not, in words short enough for a status; none: all that the run touched is as it was. What others
 * brought meanwhile is not the run's to take away: a file that no step of the plan names, a route by DHCP or from a router.
 *
 * @param now the host after the undo
 */
export function notRestored(plan: Plan, before: HostState, now: HostState): string[] {
	const touched = touchedBy(plan)
	const paths = filesOf(plan)
	return differences(
		touchable(withFiles(before, paths), touched, plan.bases),
		touchable(withFiles(withoutArrivals(before, now), paths), touched, plan.bases),
	)
}

function filesOf({ steps, undo }: Plan): ReadonlySet<string> {
	const changes = [...steps.map(({ change }) => change), ...undo]
	return new Set(changes.flatMap(change => (change.kind === 'file' ? [change.path] : [])))
}

function withFiles(host: HostState, paths: ReadonlySet<string>): HostState {
	return { ...host, files: Object.fromEntries(Object.entries(host.files).filter(([path]) => paths.has(path))) }
}

function withoutArrivals(before: HostState, now: HostState): HostState {
	const had = new Set(before.routes.map(routeKey))
	const isArrival = (route: Route) => AUTOMATIC.has(route.protocol) && linksOf(route).length > 0 && !had.has(routeKey(route))
	return { ...now, routes: now.routes.filter(route => !isArrival(route)) }
}
