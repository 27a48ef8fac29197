import { contains } from '../../contract/ip.ts'
import { addressesOf, routesOf } from '../model/desired-network.ts'
import { MAIN } from '../model/route.ts'
import type { Accepted, Released } from '../model/selection.ts'

/** Identifies a change: the ID of a desired interface, or the MAC of an interface to be removed. */
export type ChangeId = number | string

/**
 * A binary search for the change that breaks a path of the node. Trials that break no path are committed. Each failed trial interrupts the
 * path for a few seconds, so there must be few of them: at most five for ten interfaces.
 */
export type Bisect = {
	/** Changes of a trial that lost the path, so one of them is the cause. Empty: nothing is known about the changes in `trial`. */
	candidates: readonly ChangeId[]
	/** Changes that the next attempt makes. */
	trial: readonly ChangeId[]
	/** Changes that are held back for now; nothing is known about them. */
	deferred: readonly ChangeId[]
	guilty: readonly ChangeId[]
	/** Candidates that are held back first, because one of them is likely the cause. */
	likely?: readonly ChangeId[] | undefined
}

/** The networks and routes of a change, to be compared with the addresses on a lost path. */
type Reach = { change: ChangeId; networks: readonly string[]; routes: readonly string[] }
type Indication = (reach: Reach, hops: readonly string[]) => boolean

/** Indications that a change is the cause. The first one that applies to some but not all of the changes is used. */
const indications: readonly Indication[] = [isOnThePath, leadsToThePath, hasDefaultRoute]

/**
 * Starts a bisection after an attempt with all of these changes lost a path.
 *
 * @param hops addresses that no longer answer, or that are on the path to one that no longer answers
 * @param released interfaces that the attempt removed; if nothing indicates a cause, the removals are tried first, on their own
 */
export function startBisect(accepted: readonly Accepted[], hops: readonly string[], released: readonly Released[]): Bisect {
	const all = [...released.map(reachOfReleased), ...accepted.map(reachOfAccepted)]
	const candidates = all.map(({ change }) => change)
	const groups = indications.map(indicates => all.filter(one => indicates(one, hops)).map(({ change }) => change))
	const wanted = accepted.map(({ nic }) => nic.id)
	return next({ candidates, deferred: [], guilty: [], likely: [...groups, wanted].find(group => divides(group, candidates)) })
}

/** @returns the bisection after an attempt that lost a path; undefined if the trial was empty, so that no candidate is the cause */
export function onFailure({ candidates, trial, deferred, guilty }: Bisect): Bisect | undefined {
	if (trial.length === 0) return undefined
	return next({ candidates: trial, deferred: [...deferred, ...without(candidates, trial)], guilty })
}

/** @returns the bisection after an attempt that lost no path */
export function onSuccess({ candidates, trial, deferred, guilty }: Bisect): Bisect {
	return next({ candidates: without(candidates, trial), deferred, guilty })
}

/** @returns a finished bisection that holds back every change not known to be safe */
export function giveUp({ candidates, trial, deferred, guilty }: Bisect): Bisect {
	return { candidates: [], trial: [], deferred: [], guilty: [...new Set([...candidates, ...trial, ...deferred, ...guilty])] }
}

/** Whether all changes that are the cause are found. */
export function isFinished({ candidates, trial, deferred }: Bisect): boolean {
	return candidates.length + trial.length + deferred.length === 0
}

/** @returns the changes that the next attempt must not make */
export function withheld({ candidates, trial, deferred, guilty }: Bisect): ChangeId[] {
	return without([...candidates, ...deferred, ...guilty], trial)
}

/** Tries the candidates that are not likely to be the cause. If no likely cause is known, tries half of the candidates. */
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
	return { change: nic.id, networks: addressesOf(nic), routes: inMainTable(routesOf(nic, link.ifindex)) }
}

function reachOfReleased({ ours, link }: Released): Reach {
	const networks = link ? link.addresses.map(({ cidr }) => cidr) : ours.addresses
	return { change: ours.mac, networks, routes: inMainTable(ours.routes) }
}

function inMainTable(routes: readonly { table: number; to: string }[]): string[] {
	return routes.filter(({ table }) => table === MAIN).map(({ to }) => to)
}

/** Whether an address on the path is in a network that this interface has, or had before its removal. */
function isOnThePath({ networks }: Reach, hops: readonly string[]): boolean {
	return networks.some(cidr => hops.some(hop => contains(cidr, hop)))
}

function leadsToThePath({ routes }: Reach, hops: readonly string[]): boolean {
	return routes.some(to => !to.endsWith('/0') && hops.some(hop => contains(to, hop)))
}

function hasDefaultRoute({ routes }: Reach): boolean {
	return routes.some(to => to.endsWith('/0'))
}
