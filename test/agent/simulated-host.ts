import type { Host } from '../../agent/run/host.ts'
import type { Address } from '../../agent/model/address.ts'
import type { HostState, Link, Rule } from '../../agent/model/host-state.ts'
import { type Route, routeKey } from '../../agent/model/route.ts'
import { contains, ipOf, networkOf } from '../../contract/ip.ts'
import { hasNetwork } from '../../agent/model/networks.ts'
import { addressDetails } from '../../agent/plan/fingerprint-words.ts'
import { ruleKey } from '../../agent/model/desired-rules.ts'
import { fibOf, lookup } from '../../agent/plan/fib.ts'
import { answerOf } from '../../agent/plan/lookup-losses.ts'
import { connectedRoutes } from '../../agent/plan/predicted-host.ts'
import type { Action, Change, Step } from '../../agent/model/change.ts'

/** Models a host: returns the state of the kernel and the files after a step. Rejects what the kernel rejects. */
export function after(host: HostState, { change, action }: Step): HostState {
	return change ? afterChange(host, change) : afterAction(host, action)
}

export function kindOf({ change, action }: Step): Change['kind'] | Action['kind'] {
	return change ? change.kind : action.kind
}

function afterChange(host: HostState, change: Change): HostState {
	switch (change.kind) {
		case 'rename':
			return withLink(lost(host, change.link), change.link, link => rename(host, link, change.to))
		case 'up':
			return withConnected(withLink(host, change.link, link => ({ ...link, up: true })))
		case 'down':
			return down(lost(host, change.link), change.link)
		case 'mtu':
			return withLink(host, change.link, link => ({ ...link, mtu: change.bytes }))
		case 'addAltname':
			return withLink(host, change.link, link => ({ ...link, altnames: [...link.altnames, change.name] }))
		case 'removeAltname':
			return withLink(host, change.link, link => ({ ...link, altnames: link.altnames.filter(name => name !== change.name) }))
		case 'addAddress':
			return withConnected(
				withLink(withoutMoved(host, change), change.link, link => ({ ...link, addresses: withAddress(link.addresses, change.address) })),
			)
		case 'removeAddress':
			return withoutRoutes(
				withoutSources(
					withConnected({
						...withLink(host, change.link, link => ({ ...link, addresses: link.addresses.filter(isKept(change.address.cidr)) })),
						routes: withoutConnected(host, change.link, change.address),
					}),
					host,
				),
				change.link,
			)
		default:
			return afterElse(host, change)
	}
}

/**
 * An existing address keeps its position. An existing IPv4 address also keeps what only a removal changes, an existing IPv6 address its
 * metric unless one is given.
 */
function withAddress(addresses: readonly Address[], given: Address): Address[] {
	const had = addresses.find(({ cidr }) => cidr === given.cidr)
	const address = given.broadcast === '+' ? plain(given) : given
	if (!had) return [...addresses, address]
	const replaced = given.family === 4 ? { ...without(address, FIXED), ...only(had, FIXED) } : { ...only(had, ['metric']), ...address }
	return addresses.map(other => (other === had ? (replaced as Address) : other))
}

const FIXED = ['flags', 'label', 'scope', 'broadcast', 'peer']

/** The model has no broadcast addresses except explicit ones. */
function plain({ broadcast: _, ...address }: Address): Address {
	return address
}

function only(address: Address, keys: readonly string[]): Partial<Address> {
	return Object.fromEntries(Object.entries(address).filter(([key]) => keys.includes(key)))
}

function without(address: Address, keys: readonly string[]): Partial<Address> {
	return Object.fromEntries(Object.entries(address).filter(([key]) => !keys.includes(key)))
}

/** An address with another metric has another connected route. */
function withoutMoved(host: HostState, { link, address }: { link: number; address: Address }): HostState {
	const had = host.links.find(({ ifindex }) => ifindex === link)?.addresses.find(({ cidr }) => cidr === address.cidr)
	const isMoved = had && (had.family === 4 || address.metric !== undefined) && had.metric !== address.metric
	return isMoved ? { ...host, routes: withoutConnected(host, link, had) } : host
}

/** Removing the first IPv4 address of a network removes its other addresses too (`promote_secondaries` 0). */
function isKept(gone: string) {
	return ({ cidr }: Address, _at: number, all: readonly Address[]) => {
		const inNetwork = all.filter(({ family, cidr: other }) => family === 4 && networkOf(other) === networkOf(gone))
		return cidr !== gone && (inNetwork[0]?.cidr !== gone || !inNetwork.some(other => other.cidr === cidr))
	}
}

/** The kernel adds a route for the network of each address of a link that is up, unless told not to with noprefixroute. */
function withConnected(host: HostState): HostState {
	const connected = host.links
		.filter(({ up }) => up)
		.flatMap(({ ifindex, addresses }) => addresses.flatMap(address => connectedOf(address, ifindex)))
	const missing = connected.filter((route, at) => {
		const isFirst = connected.findIndex(other => routeKey(other) === routeKey(route)) === at
		return isFirst && !host.routes.some(other => routeKey(other) === routeKey(route))
	})
	return missing.length > 0 ? { ...host, routes: [...host.routes, ...missing] } : host
}

function withoutConnected({ routes }: HostState, link: number, address: Address): Route[] {
	const gone = new Set(connectedOf(address, link).map(routeKey))
	return routes.filter(route => !gone.has(routeKey(route)))
}

function connectedOf({ cidr, family, flags = [], metric }: Address, link: number): Route[] {
	if (!hasNetwork(cidr) || flags.includes('noprefixroute')) return []
	const common = { family, to: networkOf(cidr), link, table: 254, protocol: 2, type: 1, onlink: false }
	return family === 4
		? [{ ...common, metric: metric ?? 0, scope: 253, source: cidr.slice(0, cidr.indexOf('/')) }]
		: [{ ...common, metric: metric ?? 256, scope: 0 }]
}

/** Mimics `ip -force`, which skips failing steps. */
export function afterEvery(host: HostState, steps: readonly Step[], force: boolean): HostState {
	return steps.reduce((state, step) => {
		try {
			return after(state, step)
		} catch (error) {
			if (force) return state
			throw error
		}
	}, host)
}

function afterElse(host: HostState, change: Change): HostState {
	switch (change.kind) {
		case 'addRoute':
			if (!change.replace && host.routes.some(route => routeKey(route) === routeKey(change.route))) throw new Error('File exists')
			if (!isReached(change.route, host)) throw new Error('Nexthop has invalid gateway')
			if (!isSource(change.route, host)) throw new Error('Invalid prefsrc address')
			return { ...host, routes: [...host.routes.filter(route => routeKey(route) !== routeKey(change.route)), change.route] }
		case 'removeRoute':
			return { ...host, routes: host.routes.filter(route => routeKey(route) !== routeKey(change.route)) }
		case 'addRule':
			if (host.rules.some(rule => ruleKey(rule) === ruleKey(change.rule))) return host
			return { ...host, rules: [...host.rules, change.rule] }
		case 'removeRule':
			return { ...host, rules: host.rules.filter(rule => ruleKey(rule) !== ruleKey(change.rule)) }
		case 'writeFile':
			return { ...host, files: { ...host.files, [change.path]: change.file } }
		case 'removeFile': {
			const { [change.path]: _, ...files } = host.files
			return { ...host, files }
		}
		case 'sysctl':
			return {
				...host,
				links: host.links.map(link =>
					link.name === change.name ? { ...link, sysctls: { ...link.sysctls, [change.key]: change.value } } : link,
				),
			}
		default:
			return host
	}
}

function afterAction(host: HostState, action: Action): HostState {
	if (action.kind === 'unmanage') return takenBack(host, action.link)
	if (action.kind === 'manage') return withLink(host, action.link, link => ({ ...link, managedBy: 'NetworkManager' }))
	return host
}

/** The next hop is in a network of the link, or the route is onlink. */
function isReached({ link, via, onlink }: Route, { links, routes }: HostState): boolean {
	if (via === undefined || onlink || via.startsWith('fe80:')) return true
	const networks = links.flatMap(({ ifindex, addresses }) => (ifindex === link ? addresses.map(({ cidr }) => cidr) : []))
	const straight = routes.flatMap(route => (route.link === link && route.via === undefined ? [route.to] : []))
	return [...networks, ...straight].some(network => contains(network, via))
}

function isSource({ family, source }: Route, { links }: HostState): boolean {
	return source === undefined || family === 6 || links.some(({ addresses }) => addresses.some(({ cidr }) => ipOf(cidr) === source))
}

/** A link that loses its last IPv4 address loses its IPv4 routes in all tables. */
function withoutRoutes(host: HostState, ifindex: number): HostState {
	const link = host.links.find(one => one.ifindex === ifindex)
	if (link?.addresses.some(({ family }) => family === 4)) return host
	return { ...host, routes: host.routes.filter(route => route.link !== ifindex || route.family === 6) }
}

/** Removing the last form of an IPv4 address removes the routes with that source on any link. */
function withoutSources(host: HostState, { links }: HostState): HostState {
	const ipsOf = (all: readonly Link[]) => new Set(all.flatMap(({ addresses }) => addresses.map(({ cidr }) => ipOf(cidr))))
	const [had, has] = [ipsOf(links), ipsOf(host.links)]
	const isLost = ({ family, source = '' }: Route) => family === 4 && had.has(source) && !has.has(source)
	return { ...host, routes: host.routes.filter(route => !isLost(route)) }
}

/** systemd-networkd removes what it added from a link that is down or whose name no longer matches its file. */
function lost(host: HostState, ifindex: number): HostState {
	const isTheirs = host.links.some(link => link.ifindex === ifindex && link.managedBy === 'systemd-networkd')
	return isTheirs ? takenBack(host, ifindex) : host
}

/** A daemon removes what it added: everything on the link. */
function takenBack(host: HostState, ifindex: number): HostState {
	if (host.links.find(link => link.ifindex === ifindex)?.managedBy === undefined) return host
	const { routes } = down(host, ifindex)
	const tables = new Set(host.routes.filter(({ link }) => link === ifindex).map(({ table }) => table))
	return withLink(
		{ ...host, routes, rules: host.rules.filter(({ table, from }) => from.endsWith('/0') || !tables.has(table)) },
		ifindex,
		({ managedBy: _, ...link }) => ({
			...link,
			addresses: [],
		}),
	)
}

/** The kernel drops what only a link that is up can have. */
function down(host: HostState, ifindex: number): HostState {
	const forgetful = withLink(host, ifindex, link => ({
		...link,
		up: false,
		addresses: link.addresses.filter(({ family, global }) => family === 4 || !global),
	}))
	const other = ({ link }: { link?: number }) => link !== ifindex
	return { ...forgetful, routes: host.routes.filter(other), neighbours: host.neighbours.filter(other) }
}

function rename(host: HostState, link: Link, to: string): Link {
	if (link.up && !host.liveRename) throw new Error('Device or resource busy')
	const taken = host.links.some(other => (other.ifindex !== link.ifindex && other.name === to) || other.altnames.includes(to))
	if (taken) throw new Error('File exists')
	return link.name === to ? link : { ...link, name: to, addresses: relabelled(link.addresses, to) }
}

/**
 * The first IPv4 address gets the name as its label, which counts as no label; others keep the part after a colon, or get a number. @see
 * inetdev_changename
 */
function relabelled(addresses: readonly Address[], name: string): Address[] {
	const four = addresses.filter(({ family }) => family === 4)
	return addresses.map(address => {
		const at = four.indexOf(address)
		const { label = '', ...rest } = address
		if (at === -1) return address
		return at === 0 ? rest : { ...rest, label: `${name}${/:.*/.exec(label)?.[0] ?? `:${at + 1}`}` }
	})
}

function withLink(host: HostState, ifindex: number, change: (link: Link) => Link): HostState {
	if (!host.links.some(link => link.ifindex === ifindex)) throw new Error('Cannot find device')
	return { ...host, links: host.links.map(link => (link.ifindex === ifindex ? change(link) : link)) }
}

/** The rules of every kernel at start: the local, the main and, for IPv4, the default table. */
export const BASE_RULES: readonly Rule[] = ([4, 6] as const).flatMap(family =>
	[{ priority: 0, table: 255 }, { priority: 32_766, table: 254 }, ...(family === 4 ? [{ priority: 32_767, table: 253 }] : [])].map(one => ({
		...one,
		family,
		from: family === 4 ? '0.0.0.0/0' : '::/0',
		plain: true,
		words: `from all lookup ${one.table}`,
	})),
)

/** A host with these links and nothing else. */
export function hostWith(
	links: readonly (Partial<Link> & { ifindex: number; name: string; mac: string })[],
	more: Partial<HostState> = {},
): HostState {
	return withConnected({
		systemd: false,
		udev: false,
		netplan: true,
		networkd: false,
		networkmanager: false,
		keyfiles: false,
		cloudInit: { macs: [], forced: false },
		ipv6: true,
		liveRename: true,
		routes: [],
		rules: BASE_RULES,
		neighbours: [],
		files: {},
		...more,
		links: links.map(link => ({
			altnames: [],
			ethernet: true,
			up: false,
			carrier: true,
			mtu: 1500,
			minMtu: 68,
			maxMtu: 65_535,
			addresses: [],
			sysctls: {},
			...link,
		})),
	})
}

/**
 * The part of a host that is compared: without the order, and without what systemd-networkd does in its own time when it manages a link
 * again.
 */
export function comparable(host: HostState) {
	return {
		links: host.links.map(({ managedBy, ...link }) => ({
			...link,
			...(managedBy === 'NetworkManager' && { managedBy }),
			addresses: link.addresses.map(address => addressDetails(address, link.name)).toSorted(),
			altnames: link.altnames.toSorted(),
		})),
		routes: host.routes.map(routeKey).toSorted(),
		rules: host.rules.map(ruleKey).toSorted(),
		files: Object.entries(host.files).toSorted(([a], [b]) => a.localeCompare(b)),
	}
}

/** A modeled host that applies steps and their undo. It has no systemd. `put`: another program changes it. */
export function livingHost(start: HostState): { host: Host; now(): HostState; put(state: HostState): void } {
	let state = start
	let armed = false
	const host: Host = {
		observe: async () => state,
		predictRejections: async () => ({ failed: new Map(), kept: new Map() }),
		generate: async () => ({}),
		prove: async () => ({ persistent: { status: 'Unknown', message: 'this host has no systemd' }, warnings: new Map() }),
		arm: async ({ undo, tag }) => {
			armed = true
			return { undo, tag }
		},
		isArmed: () => armed,
		commit: async () => {
			armed = false
			return true
		},
		disarm: async () => {
			armed = false
		},
		unfinishedUndo: () => undefined,
		unfinishedTag: () => undefined,
		apply: async steps => {
			state = afterEvery(state, steps, false)
		},
		undo: async steps => {
			state = afterEvery(state, steps, true)
			return []
		},
		lookUp: async lookups => {
			const fib = fibOf({ ...state, routes: [...state.routes, ...state.links.filter(({ up }) => up).flatMap(connectedRoutes)] })
			return lookups.map(packet => answerOf(lookup(fib, packet)))
		},
		neighboursAnswer: async questions => questions.map(() => true),
		echoes: async packets => packets.map(() => ({ answered: true })),
		nameservers: () => [],
		tentativeAddresses: async () => [],
		machine: async () => ({ os: 'none', kernel: '6.8.0', virtualization: 'none', cpus: 1, memoryMiB: 1024 }),
		metadata: () => ({ end: async () => undefined }),
	}
	const put = (other: HostState) => {
		state = other
	}
	return { host, now: () => state, put }
}
