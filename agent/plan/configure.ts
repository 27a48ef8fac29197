import type { Bases } from '../../contract/bases.ts'
import { basesOf, formerBases, recordedBases, tableOf } from '../model/bases.ts'
import type { Change, DuplicateCheck } from '../model/change.ts'
import { addressesOf, IPV6_MIN_MTU, IPV6_MTU, routesOf, SYSCTLS, sysctlsOf } from '../model/desired-network.ts'
import { sourcesOf } from '../model/desired-rules.ts'
import type { HostState, Link } from '../model/host-state.ts'
import { familyOf } from '../model/networks.ts'
import type { OriginalLink, RecordedLink } from '../model/record.ts'
import { type Route, routeKey } from '../model/route.ts'
import type { Accepted, Released, Selection } from '../model/selection.ts'
import { asOurs, differing, type Differing, wantedAddress } from './address-details.ts'
import { addressesToProbe, addressesToProbeElsewhere } from './addresses-to-probe.ts'
import { missingAddresses, otherPrefixLengths, removedWithPrimary, staleAddresses } from './addresses.ts'
import { missingConnected, staleConnected, unroutedAddresses } from './connected-routes.ts'
import { routesOfMtu } from './lost-when-down.ts'
import { differsFromOriginal, originalNetwork, restoredAddresses } from './original-network.ts'
import { mtuAfter } from './record-link.ts'
import { addressesAfter, missingRoutes, routesFlushedWithLastAddress, staleRoutes } from './routes.ts'
import { knownSources, ruleChanges, staleRules } from './rule-changes.ts'

/**
 * The changes of one link by phase. `probe`: duplicate checks before addresses are added; `leave`: removals from former tables and
 * priorities, after the replacements are added. Each phase runs for all links together, so that one `ip` batch is enough.
 */
export type Phases = Record<'settings' | 'take' | 'shape' | 'give' | 'leave', Change[]> & { probe: DuplicateCheck[] }

/** Returns the additions and removals that bring a link to the desired state of its interface. */
export function configure(accepted: Accepted, selection: Selection, host: HostState): Phases {
	const { nic, link, ours } = accepted
	const { bases } = selection
	const addresses = addressesOf(nic)
	const routes = routesOf(nic, link.ifindex)
	const rules = ruleChanges(accepted, selection, host)
	const { anew, changed } = differsFromWanted(accepted, host)
	const taken = staleAddresses(link, addresses, ours, anew)
	const along = removedWithPrimary(link, taken)
	const remaining = addressesAfter(link, taken, addresses)
	const stale = staleRoutes(link, { routes, ours, remaining, bases }, host)
	const isLeft = inFormerTable(nic.id, { now: basesOf(nic), former: formerBases(nic, ours) })
	const { room, forms } = otherPrefixLengths(link, addresses, taken)
	const atOnce = forms.length > 0 ? removedWithPrimary(link, room) : along
	const gone = new Set([...along, ...removedBy(taken)])
	const given = missingAddresses(link, withoutAdded(addresses, forms), new Set([...gone, ...changed]))
	const connected = staleConnected(accepted, { taken, given }, host)
	const again = routesFlushedWithLastAddress(link, { along, first: atOnce, stale: [...stale, ...connected], routes, remaining }, host)
	return {
		settings: settings(link, { ...settingsBefore(link, ours), ...sysctlsOf(nic) }),
		take: [
			...rules.take,
			...stale.filter(change => !isLeft(change)),
			...connected,
			...room,
			...forms,
			...taken.filter(change => !room.includes(change)),
			...conflictingAltname(link, nic.name),
		],
		shape: [...resized(accepted, mtuAfter(nic, link, ours), host), ...(link.up ? [] : [{ kind: 'up' as const, link: link.ifindex }])],
		probe: [...addressesToProbe(link, nic.name, addresses), ...addressesToProbeElsewhere(link, addresses, selection, host)],
		give: [
			...given,
			...missingConnected(accepted, given, gone, host),
			...again,
			...missingRoutes(withoutAgain(routes, again), bases, host),
			...rules.give,
		],
		leave: [...rules.leave, ...stale.filter(isLeft)],
	}
}

/**
 * To restore a missing connected route, an IPv4 address must be removed and added again; for IPv6, replacing the address adds the route.
 */
function differsFromWanted(accepted: Accepted, host: HostState): Differing {
	const { nic, link } = accepted
	const unrouted = unroutedAddresses(accepted, host)
	const { anew, changed } = differing(link, addressesOf(nic).map(wantedAddress), address => asOurs(address, link, nic.name))
	return { anew: [...anew, ...unrouted.filter(cidr => familyOf(cidr) === 4)], changed: [...changed, ...unrouted] }
}

function removedBy(changes: readonly Change[]): string[] {
	return changes.flatMap(change => (change.kind === 'removeAddress' ? [change.address.cidr] : []))
}

function withoutAgain(routes: readonly Route[], again: readonly Change[]): Route[] {
	const keys = new Set(again.flatMap(change => (change.kind === 'addRoute' ? [routeKey(change.route)] : [])))
	return routes.filter(route => !keys.has(routeKey(route)))
}

/** Returns a predicate that is true for changes of routes in a former table of an interface. */
function inFormerTable(id: number, { now, former }: { now: Bases; former: readonly Bases[] }): (change: Change) => boolean {
	const tables = former.map(bases => tableOf(id, bases)).filter(table => table !== tableOf(id, now))
	return change => 'route' in change && tables.includes(change.route.table)
}

function withoutAdded(addresses: readonly string[], added: readonly Change[]): string[] {
	return addresses.filter(cidr => !added.some(change => change.kind === 'addAddress' && change.address.cidr === cidr))
}

/** Returns the changes that restore the recorded original state of a link. */
export function release({ ours, link }: Released, selection: Selection, host: HostState): Phases {
	const { bases } = selection
	const kept = { wanted: [], bases: recordedBases(ours), of: sourcesOf(ours.addresses), known: knownSources(selection) }
	const rules = staleRules(ours.id, kept, host)
	if (!link) return { settings: [], take: rules, shape: [], probe: [], give: [], leave: [] }
	const { original } = ours
	const before = originalNetwork(ours, link, host)
	const staying = before.addresses.map(({ cidr }) => cidr)
	const { anew, changed } = differsFromOriginal(ours, link, before)
	const taken = staleAddresses(link, staying, ours, anew)
	const remaining = addressesAfter(link, taken, staying)
	const stale = staleRoutes(link, { routes: before.routes, ours, remaining, bases }, host)
	const along = removedWithPrimary(link, taken)
	return {
		settings: settings(link, original.sysctls),
		take: [...rules, ...stale, ...taken, ...conflictingAltname(link, original.name)],
		shape: [
			...restoredMtu(link, original),
			...(original.up === link.up ? [] : [{ kind: original.up ? ('up' as const) : ('down' as const), link: link.ifindex }]),
		],
		probe: [],
		give: [
			...original.altnames
				.filter(name => !link.altnames.includes(name))
				.map((name): Change => ({ kind: 'addAltname', link: link.ifindex, name })),
			...restoredAddresses(link, before, new Set([...along, ...removedBy(taken), ...changed])),
			...(original.up
				? [
						...routesFlushedWithLastAddress(link, { along, stale, routes: before.routes, remaining }, host),
						...missingRoutes(before.routes, bases, host),
						...(original.mtu === link.mtu ? [] : routesOfMtu(before.routes)),
					]
				: []),
		],
		leave: [],
	}
}

/** A link cannot have the same string as its name and as an altname; udev adds the old name of a renamed link as an altname. */
function conflictingAltname({ ifindex, altnames }: Link, name: string): Change[] {
	return altnames.includes(name) ? [{ kind: 'removeAltname', link: ifindex, name }] : []
}

function mtu(link: Link, bytes: number): Change[] {
	return bytes === link.mtu ? [] : [{ kind: 'mtu', link: link.ifindex, bytes }]
}

function restoredMtu(link: Link, { name, mtu: bytes, sysctls }: OriginalLink): Change[] {
	const changes = mtu(link, bytes)
	const value = sysctls[IPV6_MTU]
	return changes.length > 0 && value !== undefined ? [...changes, { kind: 'sysctl', name, key: IPV6_MTU, value }] : changes
}

/**
 * When the MTU of a link rises from below 1280 bytes to 1280 or more, the kernel creates its IPv6 sysctls again with default values, so
 * the run sets them again. The link has its new name by then.
 */
function resized({ nic, link, ours }: Accepted, bytes: number, { ipv6 }: HostState): Change[] {
	const isAnew = ipv6 && link.mtu < IPV6_MIN_MTU && bytes >= IPV6_MIN_MTU
	const six = Object.entries(sysctlsOf(nic)).filter(([key]) => isAnew && key.startsWith('ipv6/'))
	const all = ours && bytes === ours.original.mtu ? restoredMtu(link, { ...ours.original, name: nic.name }) : mtu(link, bytes)
	return [...all, ...six.map(([key, value]) => ({ kind: 'sysctl' as const, name: nic.name, key, value }))]
}

/**
 * Returns the original values of the sysctls that still have the value set by MultiNIC. Values that another program has set since are
 * kept.
 */
function settingsBefore({ sysctls }: Link, ours: RecordedLink | undefined): Record<string, string> {
	return Object.fromEntries(Object.entries(ours?.original.sysctls ?? {}).filter(([key]) => sysctls[key] === SYSCTLS[key]))
}

function settings({ name, sysctls }: Link, wanted: Readonly<Record<string, string>>): Change[] {
	return Object.entries(wanted)
		.filter(([key, value]) => sysctls[key] !== undefined && sysctls[key] !== value)
		.map(([key, value]) => ({ kind: 'sysctl', name, key, value }))
}
