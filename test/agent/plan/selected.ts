import { familyOf } from '../../../agent/model/networks.ts'
import type { HostState, Link, Rule } from '../../../agent/model/host-state.ts'
import type { RecordedLink } from '../../../agent/model/record.ts'
import type { Route } from '../../../agent/model/route.ts'
import type { Selection } from '../../../agent/model/selection.ts'
import { DEFAULT_BASES } from '../../../contract/bases.ts'
import type { Interface, OfNode, WantedInterface } from '../../../contract/interface.ts'
import { hostWith } from '../simulated-host.ts'
import { nicWith, type RecordFields, recordWith, selectionWith } from './network-builders.ts'
import { route, routeOver as routeOverLinks } from './routing-objects.ts'

/** Builders of the input of decisions about one link: its interface, its record, its addresses, routes and rules. Link 3 has the MAC. */

export const MAC = 'fa:16:3e:00:00:03'

/** An interface with id 0, without addresses. */
export function nicOf(more: Partial<Interface> = {}, ofNode: OfNode = {}): WantedInterface {
	return nicWith({ macAddress: MAC, ...more }, ofNode)
}

/** A link that MultiNIC manages and to which it has added nothing; it was `ens3` and up. */
export function oursOf({ original, ...more }: RecordFields = {}): RecordedLink {
	return recordWith({ mac: MAC, original: { name: 'ens3', up: true, ...original }, ...more })
}

export function selected(more: Partial<Selection> = {}): Selection {
	return selectionWith({ bases: [DEFAULT_BASES], ...more })
}

/** A host with link 2 (`eth2`) and link 3 (`ens3`), without rules and without the routes that the kernel adds. */
export function hostOf(link: Partial<Link> = {}, more: Partial<HostState> = {}): HostState {
	const links = [
		{ ifindex: 2, name: 'eth2', mac: '02:00:00:00:00:02', up: true },
		{ ifindex: 3, name: 'ens3', mac: MAC, ...link },
	]
	return { ...hostWith(links, { rules: [] }), routes: [], ...more }
}

/** @returns link 3 */
export function linkOf({ links }: Pick<HostState, 'links'>): Link {
	return links.find(({ ifindex }) => ifindex === 3) as Link
}

export { address as addressOf } from './routing-objects.ts'

/** A route over link 3. */
export function routeOf(to: string, more: Partial<Route> = {}): Route {
	const scope = familyOf(to) === 4 && more.via === undefined ? 253 : 0
	return route(to, { link: 3, scope, ...more })
}

/** A route with one next hop on each of these links. */
export function routeOver(links: readonly number[], more: Partial<Route> = {}): Route {
	return routeOverLinks('10.9.0.0/16', links, more)
}

/** A rule that MultiNIC manages, from 10.0.0.23 to the table of id 0. */
export function ruleOf(more: Partial<Rule> = {}): Rule {
	return { family: 4, priority: 10_000, from: '10.0.0.23/32', table: 100, plain: true, words: 'from 10.0.0.23 lookup 100', ...more }
}
