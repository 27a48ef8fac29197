import { contains } from '../../contract/ip.ts'
import { addressesOf, routesOf } from '../model/desired-network.ts'
import { MAIN } from '../model/route.ts'
import type { Accepted, Released } from '../model/selection.ts'

/** A desired interface, by its id, or the removal of one that is no longer desired, by its MAC. */
export type Suspect = number | string

/**
 * The search for the one change that costs the node a path. What is tried without a loss is committed. Every loss costs a few seconds
 * without that path, so there must be few: at most five for ten interfaces.
 */
export type Search = {
	/** The path was lost with them, so one of them is the cause; empty: nothing is known about those that are tried. */
	suspects: readonly Suspect[]
	/** What the next attempt changes. */
	tried: readonly Suspect[]
	/** Nothing is known about them, and they are held back meanwhile. */
	waiting: readonly Suspect[]
	culprits: readonly Suspect[]
	/** The suspects that are held back first. */
	likely?: readonly Suspect[] | undefined
}

/** How a suspect relates to the path of packets. */
type Reach = { suspect: Suspect; networks: readonly string[]; routes: readonly string[] }
type Fact = (reach: Reach, hops: readonly string[]) => boolean

/** Why a change is the likely cause; the first that applies to some but not to all counts. */
const facts: readonly Fact[] = [isOnThePath, leadsToThePath, hasDefaultRoute]

/**
 * Starts a search after a path was lost with all of them.
 *
 * @param hops addresses that no longer answer, or are on the path to those
 * @param released what the attempt removed; if nothing indicates a cause, the removals are tried alone first
 */
export function searchAmong(accepted: readonly Accepted[], hops: readonly string[], released: readonly Released[]): Search {
	const all = [...released.map(reachOfReleased), ...accepted.map(reachOfAccepted)]
	const suspects = all.map(({ suspect }) => suspect)
	const groups = facts.map(fact => all.filter(one => fact(one, hops)).map(({ suspect }) => suspect))
	const wanted = accepted.map(({ nic }) => nic.id)
	return next({ suspects, waiting: [], culprits: [], likely: [...groups, wanted].find(group => divides(group, suspects)) })
}

/** @returns what to try after an attempt that lost a path; undefined: no suspect is the cause */
export function afterLoss({ suspects, tried, waiting, culprits }: Search): Search | undefined {
	if (tried.length === 0) return undefined
	return next({ suspects: tried, waiting: [...waiting, ...without(suspects, tried)], culprits })
}

/** @returns what to try after an attempt that lost no path */
export function afterSuccess({ suspects, tried, waiting, culprits }: Search): Search {
	return next({ suspects: without(suspects, tried), waiting, culprits })
}

/** @returns a search that ends here: what is not known to be safe is held back */
export function abandoned({ suspects, tried, waiting, culprits }: Search): Search {
	return { suspects: [], tried: [], waiting: [], culprits: [...new Set([...suspects, ...tried, ...waiting, ...culprits])] }
}

/** Whether all the culprits are found. */
export function isOver({ suspects, tried, waiting }: Search): boolean {
	return suspects.length + tried.length + waiting.length === 0
}

/** @returns what the next attempt must not change */
export function heldBack({ suspects, tried, waiting, culprits }: Search): Suspect[] {
	return without([...suspects, ...waiting, ...culprits], tried)
}

/** Without a likely cause, half of them are tried. */
function next({ suspects, waiting, culprits, likely }: Omit<Search, 'tried'>): Search {
	if (suspects.length === 0) return { suspects, tried: waiting, waiting: [], culprits }
	if (suspects.length === 1) return next({ suspects: [], waiting, culprits: [...culprits, ...suspects] })
	const tried = likely ? without(suspects, likely) : suspects.slice(0, Math.floor(suspects.length / 2))
	return { suspects, tried, waiting, culprits }
}

function divides(some: readonly Suspect[], all: readonly Suspect[]): boolean {
	return some.length > 0 && some.length < all.length
}

function without(suspects: readonly Suspect[], others: readonly Suspect[]): Suspect[] {
	return suspects.filter(suspect => !others.includes(suspect))
}

function reachOfAccepted({ nic, link }: Accepted): Reach {
	const routes = routesOf(nic, link.ifindex).flatMap(({ table, to }) => (table === MAIN ? [to] : []))
	return { suspect: nic.id, networks: addressesOf(nic), routes }
}

function reachOfReleased({ ours, link }: Released): Reach {
	const networks = link ? link.addresses.map(({ cidr }) => cidr) : ours.addresses
	return { suspect: ours.mac, networks, routes: ours.routes.flatMap(({ table, to }) => (table === MAIN ? [to] : [])) }
}

/** The network that now appears to be behind this interface, or was before it was removed. */
function isOnThePath({ networks }: Reach, hops: readonly string[]): boolean {
	return networks.some(cidr => hops.some(hop => contains(cidr, hop)))
}

function leadsToThePath({ routes }: Reach, hops: readonly string[]): boolean {
	return routes.some(to => !to.endsWith('/0') && hops.some(hop => contains(to, hop)))
}

function hasDefaultRoute({ routes }: Reach): boolean {
	return routes.some(to => to.endsWith('/0'))
}
