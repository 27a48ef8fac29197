import { type Bases, DEFAULT_BASES } from '../../contract/bases.ts'
import type { Address, HostState, Link, Route, Rule } from '../host/state.ts'
import { isOurRule, tableOf } from './bases.ts'
import { nextHopObjectsOn } from './forgotten.ts'
import { isGivenRoute, isMadeByKernel } from './origin.ts'
import { withoutPassing } from './passing.ts'
import { sourcesOf } from './own-rules.ts'
import { addressesOf, AUTOMATIC, linksOf, routeKey } from './routing.ts'
import { addressDetails, type Names, neighbourDetails, nextHopDetails, routeDetails } from './snapshot-words.ts'
import type { Selection } from './selection.ts'
import { ruleWords, withTableNames } from './show.ts'

/** Words for everything on the host that is not ours, each under what tells it from others. */
export type Fingerprint = ReadonlyMap<string, string>

/** @param touched ifindexes of the links that this run may change @param bases what tells our rules */
export function fingerprint(host: HostState, touched: ReadonlySet<number>, bases: readonly Bases[] = [DEFAULT_BASES]): Fingerprint {
	const links = host.links.filter(({ ifindex }) => !touched.has(ifindex))
	const names = namesOf(host)
	const isForeign = (route: Route) => linksOf(route).some(link => !touched.has(link)) && route.table !== 255 && route.protocol !== 9
	return new Map([
		...links.map(({ ifindex, name, mtu, up, master, altnames }) =>
			entry(
				`link ${ifindex}`,
				`${name}, mtu ${mtu}, ${up ? 'up' : 'down'}${master ? `, of ${master}` : ''}${altnames.map(other => `, also ${other}`).join('')}`,
			),
		),
		...links.flatMap(link => link.addresses.filter(({ global, dynamic }) => global && !dynamic).map(one => addressEntry(one, link))),
		...host.routes.filter(isForeign).map(route => routeEntry(route, names)),
		...host.rules.filter(rule => !isOurRule(rule, bases)).map(ruleEntry),
		...host.neighbours
			.filter(({ link }) => !touched.has(link))
			.map(one => entry(`neighbour ${one.link} ${one.ip}${one.proxy ? ' proxy' : ''}`, `neighbour ${neighbourDetails(one)}`)),
	])
}

/** @returns ifindexes of the links that a plan may change */
export function touchedBy({ accepted, moves, released }: Selection): Set<number> {
	return new Set([
		...accepted.map(({ link }) => link.ifindex),
		...moves.map(({ link }) => link),
		...released.flatMap(({ link }) => link?.ifindex ?? []),
	])
}

/**
 * Words for what a run may touch: what its undo has to bring back. What the kernel makes by itself of the rest is left out, and what a
 * lease brings to a link that NetworkManager has, which asks for it anew.
 */
export function touchable(host: HostState, touched: ReadonlySet<number>, bases: readonly Bases[] = [DEFAULT_BASES]): Fingerprint {
	const links = host.links.filter(({ ifindex }) => touched.has(ifindex))
	const names = namesOf(host)
	const leased = new Set(links.filter(({ managedBy }) => managedBy === 'NetworkManager').map(({ ifindex }) => ifindex))
	const isTheirs = (route: Route) => AUTOMATIC.has(route.protocol) && linksOf(route).some(link => leased.has(link))
	const isRestored = (route: Route) => linksOf(route).some(link => touched.has(link)) && isGivenRoute(route, host.links) && !isTheirs(route)
	const neighbours = host.neighbours.filter(({ link }) => touched.has(link))
	const rules = host.rules.filter(rule => isOurRule(rule, bases))
	return new Map([
		...fingerprint({ ...host, links, routes: [], neighbours, rules: [] }, new Set()),
		...host.routes.filter(isRestored).map(route => routeEntry(route, names)),
		...links.flatMap(link => restoredAddresses(link).map(address => addressEntry(address, link))),
		...links.flatMap(({ ifindex }) =>
			nextHopObjectsOn(ifindex, host).map(one => entry(`nexthop ${ifindex} ${one.id}`, `nexthop ${nextHopDetails(one, names)}`)),
		),
		...rules.map(ruleEntry),
		...links.flatMap(({ ifindex, sysctls }) =>
			Object.entries(sysctls).map(([key, value]) => entry(`sysctl ${ifindex} ${key}`, `${key} is ${value}`)),
		),
		...Object.entries(host.files).map(([path, { content, mode }]) =>
			entry(`file 0 ${path}`, `${path} (mode ${mode.toString(8)})\0${content}`),
		),
	])
}

/** @returns what differs between two fingerprints, in words short enough for a status; not what went with a link that is gone */
export function differences(before: Fingerprint, after: Fingerprint): string[] {
	const keys = new Set([...before.keys(), ...after.keys()])
	const isGone = (key: string) => before.has(`link ${linkOf(key)}`) && !after.has(`link ${linkOf(key)}`)
	return [...keys]
		.filter(key => before.get(key) !== after.get(key) && !isGone(key))
		.map(key => changeWords(before.get(key), after.get(key)))
}

/** A foreign thing that is gone or has changed: its key in the fingerprint, and words for it. */
export type Loss = { key: string; words: string }

/** @returns what is not ours and was there before a plan was carried out, and is not, or otherwise, now; not what has passed by itself */
export function lossesOf(plan: Selection, before: HostState, after: HostState): Loss[] {
	const touched = touchedBy(plan)
	const rules = before.rules.filter(rule => !isOfInterface(rule, plan))
	return lossesFrom(
		fingerprint(withoutPassing({ ...before, rules }, after, touched), touched, plan.bases),
		fingerprint(withoutRisen(before, after, touched), touched, plan.bases),
	)
}

/** The kernel sets a VLAN up together with the link below it, and did not have it up while that was down. @see vlan_device_event */
function withoutRisen(before: HostState, after: HostState, touched: ReadonlySet<number>): HostState {
	const down = new Set(
		before.links.filter(({ up, kind, lower = 0 }) => !up && kind === 'vlan' && touched.has(lower)).map(({ ifindex }) => ifindex),
	)
	return { ...after, links: after.links.map(link => (down.has(link.ifindex) ? { ...link, up: false } : link)) }
}

/** A rule from an address of an interface to its own table is ours, at any priority. */
function isOfInterface({ plain, table, from, to }: Rule, { accepted, released, bases }: Selection): boolean {
	const own = [
		...accepted.map(({ nic, ours }) => ({ id: nic.id, addresses: [...addressesOf(nic), ...(ours?.addresses ?? [])] })),
		...released.map(({ ours }) => ours),
	]
	const isTableOf = (id: number) => bases.some(one => table === tableOf(id, one))
	return plain && to === undefined && own.some(({ id, addresses }) => isTableOf(id) && sourcesOf(addresses).includes(from))
}

/**
 * What was there before and is not, or otherwise, now. New things are not ours: a run adds only what its plan says. Nor is what
 * went together with its link, as a pod's does: a run removes no link.
 */
export function lostFrom(before: Fingerprint, after: Fingerprint): string[] {
	return lossesFrom(before, after).map(({ words }) => words)
}

function lossesFrom(before: Fingerprint, after: Fingerprint): Loss[] {
	const alive = (key: string) => {
		const link = linkOf(key)
		return link === undefined || after.has(`link ${link}`)
	}
	return [...before]
		.filter(([key, words]) => alive(key) && after.get(key) !== words)
		.map(([key, words]) => ({ key, words: after.has(key) ? `${words}; now ${after.get(key)}` : words }))
}

/** What a file holds is compared and never told: it may be a secret. */
function wordsOf(entry: string): string {
	return (entry.split('\0')[0] ?? '').slice(0, 80)
}

/** `link 3`, `address 3 …`, `neighbour 3 …`, `route 4 TO VIA 3 …` stand on link 3; a rule stands on none. */
function linkOf(key: string): string | undefined {
	const [kind, first, , , fourth] = key.split(' ')
	if (kind === 'rule') return undefined
	return (kind === 'route' ? fourth : first) || undefined
}

function changeWords(before: string | undefined, after: string | undefined): string {
	if (before === undefined) return `new: ${wordsOf(after ?? '')}`
	const now = after === undefined ? '' : wordsOf(after)
	return now === '' || now === wordsOf(before) ? wordsOf(before) : `${wordsOf(before)}; now ${now}`
}

/** A daemon that has the link asks for its leases again. */
function restoredAddresses(link: Link): Address[] {
	return link.addresses.filter(address => !isMadeByKernel(address, link) && !(address.dynamic && link.managedBy))
}

function addressEntry(address: Address, { ifindex, name }: Link): [string, string] {
	return entry(`address ${ifindex} ${address.cidr}${address.peer ? ` peer ${address.peer}` : ''}`, addressDetails(address, name))
}

/** A route with several next hops is under the first of its links. */
function routeEntry(route: Route, names: Names): [string, string] {
	const [link] = linksOf(route)
	return entry(
		`route ${routeKey({ ...route, ...(link !== undefined && { link }) })}`,
		`route ${withTableNames(routeDetails(route, names))}`,
	)
}

function namesOf({ links }: HostState): Names {
	const names = new Map(links.map(({ ifindex, name }) => [ifindex, name]))
	return ifindex => names.get(ifindex) ?? `if${ifindex}`
}

function ruleEntry({ family, priority, words }: Rule): [string, string] {
	return entry(`rule ${family} ${priority} ${words}`, `rule ${priority}: ${ruleWords({ words })}`)
}

function entry(key: string, words: string): [string, string] {
	return [key, words]
}
