import { ipOf } from '../../contract/ip.ts'
import type { Address } from '../model/address.ts'
import { asSteps, type Change, changesIn, type Step, type UndoStep } from '../model/change.ts'
import { IPV6_MTU } from '../model/desired-network.ts'
import { ruleKey } from '../model/desired-rules.ts'
import type { HostState, Link, Rule } from '../model/host-state.ts'
import { isGivenRoute, isMadeByKernel } from '../model/origin.ts'
import { linksOf } from '../model/route.ts'
import { relabelled } from './address-details.ts'
import { removedWithPrimary } from './addresses.ts'
import { addressAdditions, lostWhenDown, routesOfMtu } from './lost-when-down.ts'
import { byReach, routesOn } from './routes.ts'
import { undoNames } from './undo-names.ts'

/**
 * Returns the rollback of a whole run, as data. It restores the observed state of the host, however many of the steps have been applied.
 * Every undo step is attempted; one that is already done has no effect.
 *
 * Order: NetworkManager releases its links, files, rules, routes, addresses, names, MTU and state, then what the steps removed, settings
 * (by the old names); last, NetworkManager manages its links again.
 */
export function undoOf(steps: readonly Step[], host: HostState): UndoStep[] {
	const changes = changesIn(steps)
	const links = touchedLinks(steps, host)
	return [
		...managerAgain(steps, 'manage'),
		...asSteps(changes.toReversed().flatMap(change => undoFile(change, host))),
		...readingAgain(steps),
		...asSteps([...backBeforeTaken(changes), ...undoRules(changes, host), ...undoAdditions(changes, links)]),
		...undoNames(changes, links, host),
		...asSteps([
			...links.flatMap(link => undoShape(link, changes, host)),
			...givenAgain(changes, links, host),
			...changes.toReversed().flatMap(change => rulesAgain(change, host)),
			...changes.flatMap(change => undoSetting(change, host)),
			...links.flatMap(link => ipv6MtuAgain(link, changes)),
		]),
		...managerAgain(steps, 'unmanage'),
	]
}

/** @returns the opposite of each step of this kind */
function managerAgain(steps: readonly Step[], kind: 'manage' | 'unmanage'): UndoStep[] {
	const opposite = kind === 'manage' ? 'unmanage' : 'manage'
	return steps.flatMap(({ action }) => (action?.kind === kind ? [{ action: { ...action, kind: opposite } }] : []))
}

/** Makes the daemons reload the restored files, as they loaded the files of the run. */
function readingAgain(steps: readonly Step[]): UndoStep[] {
	return steps.flatMap(({ action }) => (action?.kind === 'reloadUdev' || action?.kind === 'loadProfiles' ? [{ action }] : []))
}

function undoRules(changes: readonly Change[], host: HostState): Change[] {
	return changes
		.toReversed()
		.flatMap((change): Change[] => (change.kind === 'addRule' && !hadRule(change.rule, host) ? [{ ...change, kind: 'removeRule' }] : []))
}

/**
 * Returns additions of the routes and rules that the last steps remove, after others have replaced them. The undo adds them before it
 * removes the replacements, so that no packet is without a route. It adds them again later, because a link loses them while it is down or
 * without its address.
 */
function backBeforeTaken(changes: readonly Change[]): Change[] {
	const lastAdded = changes.findLastIndex(({ kind }) => kind === 'addRule')
	const left = changes.slice(lastAdded === -1 ? changes.length : lastAdded)
	return [
		...left.flatMap((change): Change[] => (change.kind === 'removeRoute' ? [{ ...change, kind: 'addRoute' }] : [])),
		...left.toReversed().flatMap((change): Change[] => (change.kind === 'removeRule' ? [{ ...change, kind: 'addRule' }] : [])),
	]
}

/** Includes links that NetworkManager releases or manages again, because they may lose configuration; excludes links only probed. */
function touchedLinks(steps: readonly Step[], { links }: HostState): Link[] {
	const indexes = new Set(steps.flatMap(linksTouched))
	return links.filter(({ ifindex }) => indexes.has(ifindex))
}

function linksTouched({ change, action }: Step): number[] {
	if (action) return action.kind === 'manage' || action.kind === 'unmanage' ? [action.link] : []
	if ('link' in change) return [change.link]
	return 'route' in change ? linksOf(change.route) : []
}

function undoFile(change: Change, { files }: HostState): Change[] {
	if (!('path' in change)) return []
	const { path } = change
	const file = files[path]
	return [file ? { kind: 'writeFile', path, file } : { kind: 'removeFile', path }]
}

/**
 * An address or route that existed before in another form (a lease, another next hop) is restored by `givenAgain`. So is an IPv4 address
 * that disappeared with the first one of its network; it is removed before it is restored, because otherwise it would become the first
 * one.
 */
function undoAdditions(changes: readonly Change[], links: readonly Link[]): Change[] {
	const routes = changes.flatMap((change): Change[] =>
		change.kind === 'addRoute' && !change.replace ? [{ kind: 'removeRoute', route: change.route }] : [],
	)
	const addresses = changes.flatMap((change): Change[] => {
		if (change.kind !== 'addAddress') return []
		const link = links.find(({ ifindex }) => ifindex === change.link)
		const { cidr } = change.address
		const isStaying = link?.addresses.some(had => had.cidr === cidr) && !removedWithPrimary(link, changesOf(link, changes)).has(cidr)
		return isStaying ? [] : [{ kind: 'removeAddress', link: change.link, address: change.address }]
	})
	return [
		...routes,
		...addresses,
		...links.flatMap(link =>
			labelsLost(link, changes)
				.toReversed()
				.map(address => removal(address, link)),
		),
	]
}

function removal(address: Address, { ifindex }: Link): Change {
	return { kind: 'removeAddress', link: ifindex, address }
}

/** Returns the addresses whose labels a rename changes, in either direction; they are added again after it. */
function labelsLost(link: Link, changes: readonly Change[]): Address[] {
	return changesOf(link, changes).some(({ kind }) => kind === 'rename') ? relabelled(link) : []
}

function changesOf({ ifindex }: Link, changes: readonly Change[]): Change[] {
	return changes.filter(change => 'link' in change && change.link === ifindex)
}

function undoShape(link: Link, changes: readonly Change[], host: HostState): Change[] {
	const kinds = new Set(changes.filter(change => 'link' in change && change.link === link.ifindex).map(({ kind }) => kind))
	const mtu: Change[] = kinds.has('mtu') || isRetaken(link, changes, host) ? [{ kind: 'mtu', link: link.ifindex, bytes: link.mtu }] : []
	const state: Change[] =
		kinds.has('up') || kinds.has('down') || kinds.has('rename') ? [{ kind: link.up ? 'up' : 'down', link: link.ifindex }] : []
	return [...mtu, ...state]
}

/** systemd-networkd may configure a link by its new name from files that it read when it started, and remove what other programs added. */
function isRetaken(link: Link, changes: readonly Change[], { networkd }: HostState): boolean {
	return networkd && changesOf(link, changes).some(({ kind }) => kind === 'rename')
}

/** Returns additions of what the steps removed, and of what a link loses while it is down or has an MTU too small for IPv6. */
function givenAgain(changes: readonly Change[], links: readonly Link[], host: HostState): Change[] {
	const addresses = links.flatMap(link => addressesAgain(link, changesOf(link, changes), host))
	const lost = links.filter(({ up }) => up).flatMap(link => lostWhenDown(link, host))
	const resized = links.filter(link => changesOf(link, changes).some(({ kind }) => kind === 'mtu'))
	const ofMtu = resized.flatMap(link => routesOfMtu(routesOn(link, host)))
	const routes = changes.flatMap(change => {
		if (change.kind === 'removeRoute') return [{ ...change, kind: 'addRoute' as const }]
		return change.kind === 'addRoute' && change.replace ? [change] : []
	})
	const all = [...routes, ...routesFrom(links, changes, host)]
	return [...addresses, ...lost, ...all.toSorted((a, b) => byReach(a.route, b.route)), ...ofMtu]
}

/** If an address is removed because of its label, the kernel also removes the routes of all links with this source. */
function routesFrom(links: readonly Link[], changes: readonly Change[], { routes, links: all }: HostState) {
	const sources = new Set(links.flatMap(link => labelsLost(link, changes).map(({ cidr }) => ipOf(cidr))))
	const found = routes.filter(route => route.source !== undefined && sources.has(route.source) && isGivenRoute(route, all))
	return found.map(route => ({ kind: 'addRoute' as const, route }))
}

/** Keeps the order: the first IPv4 address of a network is the source of packets to it. */
function addressesAgain(link: Link, changes: readonly Change[], host: HostState): Change[] {
	const cidrsOf = (kind: Change['kind']) =>
		new Set(changes.flatMap(one => ('address' in one && one.kind === kind ? [one.address.cidr] : [])))
	const [removed, added] = [cidrsOf('removeAddress'), cidrsOf('addAddress')]
	const lost = new Set(labelsLost(link, changes))
	const isTaken = (had: Address) => isRetaken(link, changes, host) && had.global && !had.dynamic
	const isTouched = (had: Address) =>
		removed.has(had.cidr) || lost.has(had) || isTaken(had) || (added.has(had.cidr) && !isMadeByKernel(had, link))
	return addressAdditions(link.addresses.filter(isTouched), link.ifindex, routesOn(link, host))
}

function rulesAgain(change: Change, host: HostState): Change[] {
	const hadIt = change.kind === 'removeRule' || (change.kind === 'addRule' && hadRule(change.rule, host))
	return hadIt ? [{ kind: 'addRule', rule: change.rule }] : []
}

/** Whether the host had a rule. The steps may add it again, because NetworkManager may remove it when it releases a link. */
function hadRule(rule: Rule, { rules }: HostState): boolean {
	return rules.some(other => ruleKey(other) === ruleKey(rule))
}

function undoSetting(change: Change, { links }: HostState): Change[] {
	if (change.kind !== 'sysctl') return []
	const before = links.find(({ name }) => name === change.name)?.sysctls[change.key]
	return before === undefined ? [] : [{ ...change, value: before }]
}

function ipv6MtuAgain(link: Link, changes: readonly Change[]): Change[] {
	const value = link.sysctls[IPV6_MTU]
	const isResized = changesOf(link, changes).some(({ kind }) => kind === 'mtu')
	return isResized && value !== undefined ? [{ kind: 'sysctl', name: link.name, key: IPV6_MTU, value }] : []
}
