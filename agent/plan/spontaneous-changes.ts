import { contains, ipOf, lengthOf, networkOf } from '../../contract/ip.ts'
import type { Address } from '../model/address.ts'
import type { HostState, Link, Rule } from '../model/host-state.ts'
import { full } from '../model/networks.ts'
import type { Route } from '../model/route.ts'
import { PAIRED } from './link-uses.ts'

/** Kinds of link that a runtime creates for a pod or a VM, and renames and configures a moment later. */
const POD_KINDS: ReadonlySet<string | undefined> = new Set(['veth', 'netkit', 'macvlan', 'ipvlan', 'tun'])

/** Protocols of routes that are added and removed with an address: the kernel and DHCP. */
const OF_ADDRESSES: ReadonlySet<number> = new Set([2, 16])

type Links = ReadonlyMap<number, Link>

/**
 * Returns the host before the run, adjusted for changes that happen on a live node within seconds and that no run can cause, so that they
 * are not treated as losses: addresses from DHCP or a router that have expired, with their routes; attributes that a link has gained; the
 * setup of a pod's link; and the rules of a deleted pod.
 *
 * @param touched ifindexes of the links that the run may change; a change on them, or on a link on top of them, is never ignored
 */
export function withoutSpontaneousChanges(before: HostState, after: HostState, touched: ReadonlySet<number>): HostState {
	const was = byIndex(before)
	const now = byIndex(after)
	const addresses = new Map(before.links.map(link => [link.ifindex, addressChanges(link, now.get(link.ifindex))]))
	const pods = podsGone(before.routes, now)
	return {
		...before,
		links: before.links.map(link => (isOnTouched(link, was, touched) ? link : passed(link, now.get(link.ifindex) ?? link))),
		routes: before.routes.filter(route => !isExpired(route, addresses)),
		rules: before.rules.filter(rule => !isOfPod(rule, pods)),
	}
}

function byIndex({ links }: HostState): Links {
	return new Map(links.map(link => [link.ifindex, link]))
}

/**
 * Whether a link is touched, is the peer of a touched link, or is on top of one, such as a VLAN. Stops at cycles, which tunnels can form.
 */
function isOnTouched(link: Link, links: Links, touched: ReadonlySet<number>): boolean {
	const met = new Set<Link>()
	for (let at: Link | undefined = link; at && !met.has(at); at = below(at, links)) {
		met.add(at)
		if (touched.has(at.ifindex) || (at.lower !== undefined && touched.has(at.lower))) return true
	}
	return false
}

function below({ lower, kind }: Link, links: Links): Link | undefined {
	return lower === undefined || PAIRED.has(kind) ? undefined : links.get(lower)
}

/** `left`: addresses that a link still has; `expired`: addresses with a lifetime, or link-local ones, that it no longer has. */
type Addresses = { left: Address[]; expired: Address[] }

function addressChanges({ addresses }: Link, now: Link | undefined): Addresses {
	const cidrs = new Set((now?.addresses ?? []).map(({ cidr }) => cidr))
	return {
		left: addresses.filter(({ cidr }) => cidrs.has(cidr)),
		expired: addresses.filter(({ cidr, dynamic, global }) => (dynamic || !global) && !cidrs.has(cidr)),
	}
}

function isExpired(route: Route, addresses: ReadonlyMap<number, Addresses>): boolean {
	const { left = [], expired = [] } = addresses.get(route.link ?? 0) ?? {}
	const isOf = (address: Address) => cameWith(route, address)
	return expired.some(isOf) && !left.some(isOf)
}

function cameWith({ protocol, source, to, via }: Route, { cidr }: Address): boolean {
	if (source !== undefined) return source === ipOf(cidr)
	return OF_ADDRESSES.has(protocol) && (to === networkOf(cidr) || (via !== undefined && contains(cidr, via)))
}

/** @returns the earlier link with the attributes that it has gained since, and those that a runtime sets on the link of a pod */
function passed(was: Link, now: Link): Link {
	const leased = new Set(now.addresses.filter(({ dynamic }) => dynamic).map(({ cidr }) => cidr))
	return {
		...was,
		...(POD_KINDS.has(was.kind) && { name: now.name, mtu: now.mtu }),
		...(was.master === undefined && now.master !== undefined && { master: now.master }),
		up: was.up || now.up,
		altnames: was.altnames.every(name => now.altnames.includes(name)) ? now.altnames : was.altnames,
		addresses: was.addresses.map(address => (leased.has(address.cidr) ? { ...address, dynamic: true } : address)),
	}
}

/** @returns the destinations of host routes that disappeared with their link */
function podsGone(routes: readonly Route[], now: Links): ReadonlySet<string> {
	const gone = routes.filter(({ link, to }) => link !== undefined && !now.has(link) && lengthOf(to) === full(to))
	return new Set(gone.map(({ to }) => to))
}

function isOfPod({ from, to }: Rule, pods: ReadonlySet<string>): boolean {
	return pods.has(from) || (to !== undefined && pods.has(to))
}
