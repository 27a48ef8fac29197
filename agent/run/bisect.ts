import { contains } from '../../contract/ip.ts'
import { addressesOf, routesOf } from '../model/desired-network.ts'
import { MAIN } from '../model/route.ts'
import type { Accepted, Released } from '../model/selection.ts'

/** A desired interface, by its id, or the removal of one that is no longer desired, by its MAC. */
export type ChangeId = number | string

/**
 * The search for the one change that costs the node a path. What is tried without a loss is committed. Every loss costs a few seconds
 * without that path, so there must be few: at most five for ten interfaces.
 */
export type Bisect = {
	/** The path was lost with them, so one of them is the cause; empty: nothing is known about those that are tried. */
	candidates: readonly ChangeId[]
	/** What the next attempt changes. */
	trial: readonly ChangeId[]
	/** Nothing is known about them, and they are held back meanwhile. */
	deferred: readonly ChangeId[]
	guilty: readonly ChangeId[]
	/** The candidates that are held back first. */
	likely?: readonly ChangeId[] | undefined
}

/** How a change relates to the path of packets. */
type Reach = { change: ChangeId; networks: readonly string[]; routes: readonly string[] }
type Indication = (reach: Reach, hops: readonly string[]) => boolean

/** Why a change is the likely cause; the first that applies to some but not to all counts. */
const indications: readonly Indication[] = [isOnThePath, leadsToThePath, hasDefaultRoute]

/**
 * Starts a bisection after a path was lost with all of them.
 *
 * @param hops addresses that no longer answer, or are on the path to those
 * @param released what the attempt removed; if nothing indicates a cause, the removals are tried alone first
 */
export function startBisect(accepted: readonly Accepted[], hops: readonly string[], released: readonly Released[]): Bisect {
	const all = [...released.map(reachOfReleased), ...accepted.map(reachOfAccepted)]
	const candidates = all.map(({ change }) => change)
	const groups = indications.map(indicates => all.filter(one => indicates(one, hops)).map(({ change }) => change))
	const wanted = accepted.map(({ nic }) => nic.id)
	return next({ candidates, deferred: [], guilty: [], likely: [...groups, wanted].find(group => divides(group, candidates)) })
}

/** @returns what to try after an attempt that lost a path; undefined: no candidate is the cause */
export function onFailure({ candidates, trial, deferred, guilty }: Bisect): Bisect | undefined {
	if (trial.length === 0) return undefined
	return next({ candidates: trial, deferred: [...deferred, ...without(candidates, trial)], guilty })
}

/** @returns what to try after an attempt that lost no path */
export function onSuccess({ candidates, trial, deferred, guilty }: Bisect): Bisect {
	return next({ candidates: without(candidates, trial), deferred, guilty })
}

/** @returns a bisection that ends here: what is not known to be safe is held back */
export function giveUp({ candidates, trial, deferred, guilty }: Bisect): Bisect {
	return { candidates: [], trial: [], deferred: [], guilty: [...new Set([...candidates, ...trial, ...deferred, ...guilty])] }
}

/** Whether all guilty changes are found. */
export function isFinished({ candidates, trial, deferred }: Bisect): boolean {
	return candidates.length + trial.length + deferred.length === 0
}

/** @returns what the next attempt must not change */
export function withheld({ candidates, trial, deferred, guilty }: Bisect): ChangeId[] {
	return without([...candidates, ...deferred, ...guilty], trial)
}

/** Without a likely cause, half of them are tried. */
function next({ candidates, deferred, guilty, likely }: Omit<Bisect, 'trial'>): Bisect {
	if (candidates.length === 0) return { candidates, trial: deferred, deferred: [], guilty }
	if (candidates.length === 1) return next({ candidates: [], deferred, guilty: [...guilty, ...candidates] })
	const trial = likely ? without(candidates, likely) : candidates.slice(0, Math.floor(candidates.length / 2))
	return { candidates, trial, deferred, guilty }
}

function divides(some: readonly ChangeId[], all: readonly ChangeId[]): boolean {
	return some.length > 0 && some.length < all.length
}

function without(changes: readonly ChangeId[], others: readonly ChangeId[]): ChangeId[] {
	return changes.filter(change => !others.includes(change))
}

function reachOfAccepted({ nic, link }: Accepted): Reach {
	const routes = routesOf(nic, link.ifindex).flatMap(({ table, to }) => (table === MAIN ? [to] : []))
	return { change: nic.id, networks: addressesOf(nic), routes }
}

function reachOfReleased({ ours, link }: Released): Reach {
	const networks = link ? link.addresses.map(({ cidr }) => cidr) : ours.addresses
	return { change: ours.mac, networks, routes: ours.routes.flatMap(({ table, to }) => (table === MAIN ? [to] : [])) }
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
