import { contains } from '../../contract/ip.ts'
import { addressesOf, MAIN, routesOf } from '../plan/routing.ts'
import type { Accepted, Released } from '../plan/select.ts'

/** A wanted interface, by its id, or the removal of one that is no longer wanted, by its MAC. */
export type Suspect = number | string

/**
 * The search for the one change that costs the node a path. What is tried and does no harm is committed; every loss is a few seconds
 * without that path, so there are to be few: of ten interfaces five at most.
 */
export type Search = {
	/** The path was lost with them, so one of them is the cause; none: of those that are tried nothing is known. */
	suspects: readonly Suspect[]
	/** What the next attempt changes. */
	tried: readonly Suspect[]
	/** Nothing is known of them, and they are held back meanwhile. */
	waiting: readonly Suspect[]
	culprits: readonly Suspect[]
	/** Those of the suspects that are held back first. */
	likely?: readonly Suspect[] | undefined
}

/** What a suspect has to do with the way of packets. */
type Reach = { suspect: Suspect; networks: readonly string[]; routes: readonly string[] }
type Fact = (reach: Reach, hops: readonly string[]) => boolean

/** Why a change is the likely cause; the first that applies to some but not to all counts. */
const facts: readonly Fact[] = [isOnThePath, leadsToThePath, hasDefaultRoute]

/**
 * A path was lost with all of them.
 *
 * @param hops addresses that no longer answer, or lie before those
 * @param released what the attempt removed; where nothing points at a cause, the removals are tried alone first
 */
export function searchAmong(accepted: readonly Accepted[], hops: readonly string[], released: readonly Released[]): Search {
	const all = [...released.map(reachOfReleased), ...accepted.map(reachOfAccepted)]
	const suspects = all.map(({ suspect }) => suspect)
	const groups = facts.map(fact => all.filter(one => fact(one, hops)).map(({ suspect }) => suspect))
	const wanted = accepted.map(({ nic }) => nic.id)
	return next({ suspects, waiting: [], culprits: [], likely: [...groups, wanted].find(group => divides(group, suspects)) })
}

/** @returns what to try after an attempt that lost a path; undefined: it is none of them */
export function afterLoss({ suspects, tried, waiting, culprits }: Search): Search | undefined {
	if (tried.length === 0) return undefined
	return next({ suspects: tried, waiting: [...waiting, ...without(suspects, tried)], culprits })
}

/** @returns what to try after an attempt that lost none */
export function afterSuccess({ suspects, tried, waiting, culprits }: Search): Search {
	return next({ suspects: without(suspects, tried), waiting, culprits })
}

/** @returns a search that goes no further: what is not known to be harmless is held back */
export function abandoned({ suspects, tried, waiting, culprits }: Search): Search {
	return { suspects: [], tried: [], waiting: [], culprits: [...new Set([...suspects, ...tried, ...waiting, ...culprits])] }
}

/** Whether all the culprits are found. */
export function isOver({ suspects, tried, waiting }: Search): boolean {
	return suspects.length + tried.length + waiting.length === 0
}

/** @returns what the next attempt must leave alone */
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

/** The network that now looks to be behind this interface, or was before it was removed. */
function isOnThePath({ networks }: Reach, hops: readonly string[]): boolean {
	return networks.some(cidr => hops.some(hop => contains(cidr, hop)))
}

function leadsToThePath({ routes }: Reach, hops: readonly string[]): boolean {
	return routes.some(to => !to.endsWith('/0') && hops.some(hop => contains(to, hop)))
}

function hasDefaultRoute({ routes }: Reach): boolean {
	return routes.some(to => to.endsWith('/0'))
}
