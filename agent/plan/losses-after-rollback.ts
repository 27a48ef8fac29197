import { contains } from '../../contract/ip.ts'
import type { Address } from '../model/address.ts'
import { type Change, changesIn } from '../model/change.ts'
import { addressesOf, routesOf } from '../model/desired-network.ts'
import { rulesOf } from '../model/desired-rules.ts'
import type { HostState, Link, Neighbour, Rule } from '../model/host-state.ts'
import { gatewaysOf, linksOf, MAIN, type Route } from '../model/route.ts'
import { fingerprint, type Loss, lossesOf, touchedBy } from './fingerprint.ts'
import type { Plan } from './plan.ts'

/** What is still lost after a rollback. `byOthers`: another program on the node removed it; `byRun`: the run may be the cause. */
export type Losses = { byOthers: Loss[]; byRun: Loss[] }

/**
 * Returns the current losses by their possible cause. Another program is the cause if the object refers to no link, address, table or rule
 * that the run touched: then neither the run nor the kernel's cleanup after it can have removed the object.
 */
export function lossesByCause(plan: Plan, before: HostState, now: HostState): Losses {
	const unrelated = fingerprint(unrelatedTo(reachOf(plan, before), before), touchedBy(plan), plan.bases)
	const losses = lossesOf(plan, before, now)
	return {
		byOthers: losses.filter(({ key }) => unrelated.has(key)),
		byRun: losses.filter(({ key }) => !unrelated.has(key)),
	}
}

/** Everything that a plan touches, and what depends on it. */
type RunReach = {
	links: ReadonlySet<number>
	/** Names that the links had, have or get. */
	names: ReadonlySet<string>
	/** Networks and addresses that the run adds, removes, or finds on the links. */
	cidrs: readonly string[]
	/** Excludes the main table, which belongs to the node: its routes are compared individually. */
	tables: ReadonlySet<number>
	priorities: ReadonlySet<number>
	routes: readonly Route[]
}

function reachOf(plan: Plan, before: HostState): RunReach {
	const changes = changesIn(plan.steps)
	const links = standingOn(touchedBy(plan), before.links)
	const touched = before.links.filter(({ ifindex }) => links.has(ifindex))
	const nics = plan.accepted.map(({ nic }) => nic)
	const names = [...nics.map(({ name }) => name), ...plan.released.map(({ ours }) => ours.name), ...plan.moves.map(({ to }) => to)]
	const routes = changes.flatMap(change => (change.kind === 'addRoute' || change.kind === 'removeRoute' ? [change.route] : []))
	const rules = changes.flatMap(change => (change.kind === 'addRule' || change.kind === 'removeRule' ? [change.rule] : []))
	const all = [...routes, ...rules, ...nics.flatMap(nic => [...routesOf(nic, 0), ...rulesOf(nic)])]
	return {
		links,
		names: new Set([...touched.flatMap(({ name, altnames }) => [name, ...altnames]), ...names]),
		cidrs: [...touched.flatMap(cidrsOf), ...nics.flatMap(addressesOf), ...changes.flatMap(cidrOf)],
		tables: new Set(all.map(({ table }) => table).filter(table => table !== MAIN)),
		priorities: new Set(all.flatMap(one => ('priority' in one ? [one.priority] : []))),
		routes,
	}
}

/**
 * Adds the VLANs, macvlans and tunnels on top of the links, and the bridges, bonds and VRFs of their ports, because all of these change
 * with them.
 */
function standingOn(touched: ReadonlySet<number>, links: readonly Link[]): ReadonlySet<number> {
	const masters = new Set(links.filter(({ ifindex }) => touched.has(ifindex)).map(({ master }) => master))
	const more = links.filter(
		({ ifindex, lower, name }) => !touched.has(ifindex) && ((lower !== undefined && touched.has(lower)) || masters.has(name)),
	)
	return more.length === 0 ? touched : standingOn(new Set([...touched, ...more.map(({ ifindex }) => ifindex)]), links)
}

function cidrsOf({ addresses }: Link): string[] {
	return addresses.map(({ cidr }) => cidr)
}

function cidrOf(change: Change): string[] {
	return change.kind === 'addAddress' || change.kind === 'removeAddress' ? [change.address.cidr] : []
}

/** Returns the host without the objects that refer to something that the run touches. */
function unrelatedTo(reach: RunReach, host: HostState): HostState {
	return {
		...host,
		links: host.links
			.filter(link => !reach.links.has(link.ifindex) && !(link.master !== undefined && reach.names.has(link.master)))
			.map(link => ({ ...link, addresses: link.addresses.filter(address => !refersAddress(address, reach)) })),
		routes: host.routes.filter(route => !refersRoute(route, reach)),
		rules: host.rules.filter(rule => !refersRule(rule, reach)),
		neighbours: host.neighbours.filter(neighbour => !refersNeighbour(neighbour, reach)),
	}
}

/** The kernel removes a route with one of its links, its source address or one of its next hops. */
function refersRoute(route: Route, { links, cidrs, tables, routes }: RunReach): boolean {
	const { table, source, to } = route
	return (
		linksOf(route).some(link => links.has(link)) ||
		tables.has(table) ||
		cidrs.some(cidr => bare(cidr) === source) ||
		gatewaysOf(route).some(({ ip }) => cidrs.some(cidr => contains(cidr, ip))) ||
		routes.some(other => other.table === table && other.to === to)
	)
}

function refersRule({ priority, table, words }: Rule, { names, cidrs, tables, priorities }: RunReach): boolean {
	const parts = words.split(' ')
	const ips = new Set(cidrs.map(bare))
	return tables.has(table) || priorities.has(priority) || parts.some(word => names.has(word) || ips.has(bare(word)))
}

function refersNeighbour({ link, ip }: Neighbour, { links, cidrs }: RunReach): boolean {
	return links.has(link) || cidrs.some(cidr => bare(cidr) === ip)
}

function refersAddress({ cidr }: Address, { cidrs }: RunReach): boolean {
	return cidrs.some(other => bare(other) === bare(cidr))
}

/** @param word an address or a network, with or without prefix length */
function bare(word: string): string {
	return word.split('/')[0] ?? word
}
