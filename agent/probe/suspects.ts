import { contains } from '../../contract/ip.ts'
import { addressesOf, MAIN, routesOf } from '../plan/routing.ts'
import type { Accepted } from '../plan/select.ts'

/**
 * The search for the one interface that costs the node a path. What is tried and does no harm is committed; every loss is a few seconds
 * without that path, so there are to be few: of ten interfaces five at most.
 */
export type Search = {
	/** The path was lost with them, so one of them is the cause; none: of those that are tried nothing is known. */
	suspects: readonly number[]
	/** What the next attempt changes. */
	tried: readonly number[]
	/** Nothing is known of them, and they are held back meanwhile. */
	waiting: readonly number[]
	culprits: readonly number[]
	/** Those of the suspects that are held back first. */
	likely?: readonly number[] | undefined
}

type Fact = (suspect: Accepted, hops: readonly string[]) => boolean

/** Why an interface is the likely cause; the first that tells some from the others counts. */
const facts: readonly Fact[] = [isOnThePath, leadsToThePath, asksForDefaultRoute]

/**
 * A path was lost with all of them.
 *
 * @param hops addresses that no longer answer, or lie before those
 * @param others whether the attempt did anything besides: then it is tried alone first
 */
export function searchAmong(accepted: readonly Accepted[], hops: readonly string[], others: boolean): Search {
	const suspects = accepted.map(({ nic }) => nic.id)
	const likely = facts.map(fact => accepted.filter(one => fact(one, hops)).map(({ nic }) => nic.id)).find(ids => divides(ids, suspects))
	const search = { suspects, waiting: [], culprits: [], likely }
	return others ? { ...search, tried: [] } : next(search)
}

/** @returns what to try after an attempt that lost a path; undefined: it is none of the interfaces */
export function afterLoss({ suspects, tried, waiting, culprits }: Search): Search | undefined {
	if (tried.length === 0) return undefined
	return next({ suspects: tried, waiting: [...waiting, ...without(suspects, tried)], culprits })
}

/** @returns what to try after an attempt that lost none */
export function afterSuccess({ suspects, tried, waiting, culprits, likely }: Search): Search {
	return next({ suspects: without(suspects, tried), waiting, culprits, likely: tried.length === 0 ? likely : undefined })
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
export function heldBack({ suspects, tried, waiting, culprits }: Search): number[] {
	return without([...suspects, ...waiting, ...culprits], tried)
}

/** Without a likely cause, half of them are tried. */
function next({ suspects, waiting, culprits, likely }: Omit<Search, 'tried'>): Search {
	if (suspects.length === 0) return { suspects, tried: waiting, waiting: [], culprits }
	if (suspects.length === 1) return next({ suspects: [], waiting, culprits: [...culprits, ...suspects] })
	const tried = likely ? without(suspects, likely) : suspects.slice(0, Math.floor(suspects.length / 2))
	return { suspects, tried, waiting, culprits }
}

function divides(ids: readonly number[], all: readonly number[]): boolean {
	return ids.length > 0 && ids.length < all.length
}

function without(ids: readonly number[], others: readonly number[]): number[] {
	return ids.filter(id => !others.includes(id))
}

/** A network that now looks to be behind this interface. */
function isOnThePath({ nic }: Accepted, hops: readonly string[]): boolean {
	return addressesOf(nic).some(cidr => hops.some(hop => contains(cidr, hop)))
}

function leadsToThePath(suspect: Accepted, hops: readonly string[]): boolean {
	return mainRoutes(suspect).some(to => !to.endsWith('/0') && hops.some(hop => contains(to, hop)))
}

function asksForDefaultRoute(suspect: Accepted): boolean {
	return mainRoutes(suspect).some(to => to.endsWith('/0'))
}

function mainRoutes({ nic, link }: Accepted): string[] {
	return routesOf(nic, link.ifindex).flatMap(({ table, to }) => (table === MAIN ? [to] : []))
}
