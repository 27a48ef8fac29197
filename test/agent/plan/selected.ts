import type { Address } from '../../../agent/model/address.ts'
import type { HostState, Link, Rule } from '../../../agent/model/host-state.ts'
import type { RecordedLink } from '../../../agent/model/record.ts'
import type { Route } from '../../../agent/model/route.ts'
import type { Selection } from '../../../agent/model/selection.ts'
import { DEFAULT_BASES } from '../../../contract/bases.ts'
import { type Interface, Interfaces, type OfNode, settle, type WantedInterface } from '../../../contract/interface.ts'
import { hostWith } from '../simulated-host.ts'

/** Builders of the input of decisions about one link: its interface, its record, its addresses, routes and rules. Link 3 has the MAC. */

export const MAC = 'fa:16:3e:00:00:03'

/** An interface with id 0, without addresses. */
export function nicOf(more: Partial<Interface> = {}, ofNode: OfNode = {}): WantedInterface {
	return settle(Interfaces.parse([{ id: 0, macAddress: MAC, ...more }]), ofNode)[0] as WantedInterface
}

/** A link that MultiNIC manages and to which it has added nothing. */
export function oursOf({
	original,
	...more
}: Partial<Omit<RecordedLink, 'original'>> & { original?: Partial<RecordedLink['original']> } = {}): RecordedLink {
	return {
		...{ mac: MAC, id: 0, name: 'multinic0', addresses: [], former: [], routes: [], files: {} },
		original: { name: 'ens3', altnames: [], mtu: 1500, up: true, sysctls: {}, ...original },
		...more,
	}
}

export function selected(more: Partial<Selection> = {}): Selection {
	return { accepted: [], refused: [], released: [], kept: [], moves: [], shared: new Map(), bases: [DEFAULT_BASES], ...more }
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

export function addressOf(cidr: string, more: Partial<Address> = {}): Address {
	return { family: cidr.includes(':') ? 6 : 4, cidr, global: true, dynamic: false, ...more }
}

/** A route over link 3. */
export function routeOf(to: string, more: Partial<Route> = {}): Route {
	const family = to.includes(':') ? 6 : 4
	const scope = family === 4 && more.via === undefined ? 253 : 0
	return { family, to, link: 3, table: 254, metric: family === 4 ? 0 : 1024, protocol: 4, type: 1, scope, onlink: false, ...more }
}

/** A route with one next hop on each of these links. */
export function routeOver(links: readonly number[], more: Partial<Route> = {}): Route {
	const { link: _, ...alone } = routeOf('10.9.0.0/16', { scope: 0, ...more })
	return { ...alone, nextHops: links.map(link => ({ via: `10.${link}.0.1`, link, weight: 1, onlink: false })) }
}

/** A rule that MultiNIC manages, from 10.0.0.23 to the table of id 0. */
export function ruleOf(more: Partial<Rule> = {}): Rule {
	return { family: 4, priority: 10_000, from: '10.0.0.23/32', table: 100, plain: true, words: 'from 10.0.0.23 lookup 100', ...more }
}
