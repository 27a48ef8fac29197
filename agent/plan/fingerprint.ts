import { type Bases, DEFAULT_BASES } from '../../contract/bases.ts'
import { ruleWords } from '../ip/show-commands.ts'
import { withTableNames } from '../ip/table-names.ts'
import type { Address } from '../model/address.ts'
import { isOurRule, tableOf } from '../model/bases.ts'
import { addressesOf, AUTOMATIC } from '../model/desired-network.ts'
import { sourcesOf } from '../model/desired-rules.ts'
import type { HostState, Link, Rule } from '../model/host-state.ts'
import { isGivenRoute, isMadeByKernel } from '../model/origin.ts'
import { linksOf, type Route, routeKey } from '../model/route.ts'
import type { Selection } from '../model/selection.ts'
import { addressDetails, type Names, neighbourDetails, nextHopDetails, routeDetails } from './fingerprint-words.ts'
import { nextHopObjectsOn } from './lost-when-down.ts'
import { withoutSpontaneousChanges } from './spontaneous-changes.ts'

/** Descriptions of everything on the host that is not managed by MultiNIC, each under a key that identifies it. */
export type Fingerprint = ReadonlyMap<string, string>

/** @param touched ifindexes of the links that this run may change @param bases identify the rules managed by MultiNIC */
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
 * Returns descriptions of the state that a run may change and its rollback has to restore. Omits state that the kernel creates, leased
 * addresses of links that a daemon manages, and automatic routes of links that NetworkManager manages, because the daemon requests the
 * lease again.
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
		...links.flatMap(link => restorableAddresses(link).map(address => addressEntry(address, link))),
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

/** @returns the differences between two fingerprints, short enough for a status; omits entries of links that have disappeared */
export function differences(before: Fingerprint, after: Fingerprint): string[] {
	const keys = new Set([...before.keys(), ...after.keys()])
	const isGone = (key: string) => before.has(`link ${linkOf(key)}`) && !after.has(`link ${linkOf(key)}`)
	return [...keys]
		.filter(key => before.get(key) !== after.get(key) && !isGone(key))
		.map(key => changeWords(before.get(key), after.get(key)))
}

/** An object not managed by MultiNIC that has disappeared or changed: its key in the fingerprint, and a description. */
export type Loss = { key: string; words: string }

/**
 * @returns the objects not managed by MultiNIC that have disappeared or changed since before the plan was applied; omits changes that no
 * run can cause
 */
export function lossesOf(plan: Selection, before: HostState, after: HostState): Loss[] {
	const touched = touchedBy(plan)
	const rules = before.rules.filter(rule => !isOfInterface(rule, plan))
	return lossesFrom(
		fingerprint(withoutSpontaneousChanges({ ...before, rules }, after, touched), touched, plan.bases),
		fingerprint(withoutRisen(before, after, touched), touched, plan.bases),
	)
}

/**
 * Shows VLANs that were down before as still down: when a run sets a link up, the kernel also sets up the VLANs on top of it.
 * @see vlan_device_event
 */
function withoutRisen(before: HostState, after: HostState, touched: ReadonlySet<number>): HostState {
	const down = new Set(
		before.links.filter(({ up, kind, lower = 0 }) => !up && kind === 'vlan' && touched.has(lower)).map(({ ifindex }) => ifindex),
	)
	return { ...after, links: after.links.map(link => (down.has(link.ifindex) ? { ...link, up: false } : link)) }
}

/** A rule from an address of an interface that looks up the table of that interface is managed by MultiNIC, whatever its priority. */
function isOfInterface({ plain, table, from, to }: Rule, { accepted, released, bases }: Selection): boolean {
	const own = [
		...accepted.map(({ nic, ours }) => ({ id: nic.id, addresses: [...addressesOf(nic), ...(ours?.addresses ?? [])] })),
		...released.map(({ ours }) => ours),
	]
	const isTableOf = (id: number) => bases.some(one => table === tableOf(id, one))
	return plain && to === undefined && own.some(({ id, addresses }) => isTableOf(id) && sourcesOf(addresses).includes(from))
}

/**
 * Returns the entries that have disappeared or changed. Ignores additions, because a run adds only what its plan contains. Ignores entries
 * that disappeared with their link, such as the link of a pod, because runs never delete links.
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

/** File contents are compared but never reported: they may contain secrets. */
function entryText(entry: string): string {
	return (entry.split('\0')[0] ?? '').slice(0, 80)
}

/** `link 3`, `address 3 …`, `neighbour 3 …`, `route 4 TO VIA 3 …` belong to link 3; a rule belongs to no link. */
function linkOf(key: string): string | undefined {
	const [kind, first, , , fourth] = key.split(' ')
	if (kind === 'rule') return undefined
	return (kind === 'route' ? fourth : first) || undefined
}

function changeWords(before: string | undefined, after: string | undefined): string {
	if (before === undefined) return `new: ${entryText(after ?? '')}`
	const now = after === undefined ? '' : entryText(after)
	return now === '' || now === entryText(before) ? entryText(before) : `${entryText(before)}; now ${now}`
}

/** A daemon that manages the link requests its leases again. */
function restorableAddresses(link: Link): Address[] {
	return link.addresses.filter(address => !isMadeByKernel(address, link) && !(address.dynamic && link.managedBy))
}

function addressEntry(address: Address, { ifindex, name }: Link): [string, string] {
	return entry(`address ${ifindex} ${address.cidr}${address.peer ? ` peer ${address.peer}` : ''}`, addressDetails(address, name))
}

/** For a route with several next hops, the key contains the link of the first one. */
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
