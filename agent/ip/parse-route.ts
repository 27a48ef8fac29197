import * as z from 'zod'
import type { Family } from '../model/host-state.ts'
import type { NextHopObject, Route } from '../model/route.ts'
import { ENCAP_KEYS, encapOf } from './parse-encap.ts'
import { Flow, IpNextHops, realmsOf, toNextHop, unknownFlags, wayOf } from './parse-next-hop.ts'

/** Parses the routes of `ip -N -j -d route show table all`. */

const Int = z.coerce.number().int()

export const IpRoute = z.looseObject({
	type: Int.default(1),
	dst: z.string(),
	from: z.string().optional(),
	tos: Int.optional(),
	nhid: Int.optional(),
	gateway: z.string().optional(),
	via: z.object({ host: z.string() }).optional(),
	dev: z.string().optional(),
	table: Int.default(254),
	protocol: Int.default(0),
	scope: Int.default(0),
	metric: Int.default(0),
	prefsrc: z.string().optional(),
	pref: z.string().optional(),
	expires: Int.optional(),
	flow: Flow.optional(),
	metrics: z.array(z.record(z.string(), z.unknown())).optional(),
	nexthops: IpNextHops.optional(),
	flags: z.array(z.string()).default([]),
})
type RawRoute = z.infer<typeof IpRoute>

/** Keys that the kernel adds from its route cache, and keys that `ip` adds from a nexthop object. */
const DERIVED = ['cache', 'error', 'users', 'used', 'age', 'ipid', 'ts', 'tsage', 'nh_info']
const KEYS: ReadonlySet<string> = new Set([...Object.keys(IpRoute.shape), ...ENCAP_KEYS, ...DERIVED])
const PLAIN: ReadonlySet<string> = new Set([
	'type',
	'dst',
	'gateway',
	'via',
	'dev',
	'table',
	'protocol',
	'scope',
	'metric',
	'prefsrc',
	'flags',
	'pref',
])
const METRICS: Readonly<Record<string, string>> = Object.fromEntries(
	['mtu', 'window', 'rtt', 'rttvar', 'ssthresh', 'cwnd', 'advmss', 'reordering', 'hoplimit', 'initcwnd', 'rto_min', 'initrwnd', 'quickack']
		.map(name => [name, name])
		.concat([
			['congestion', 'congctl'],
			['fastopen_no_cookie', 'fastopen_no_cookie'],
		]),
)
/** Metrics in milliseconds. */
const TIMES = new Set(['rtt', 'rttvar', 'rto_min'])

export type RouteContext = { indexes: ReadonlyMap<string, number>; objects: ReadonlyMap<number, NextHopObject> }
export type ParsedRoute = { route: Route; unknown: readonly string[] }

/** @returns the route, and its unknown keys */
export function toRoute(raw: RawRoute, known: RouteContext): ParsedRoute {
	const family = familyOf(raw)
	const route: Route = {
		family,
		to: prefix(raw.dst, family),
		table: raw.table,
		metric: raw.metric,
		protocol: raw.protocol,
		type: raw.type,
		scope: raw.scope,
		onlink: raw.flags.includes('onlink'),
		...wayOf(raw, known.indexes),
		...(raw.prefsrc !== undefined && { source: raw.prefsrc }),
	}
	const more = Object.keys(raw).filter(key => !PLAIN.has(key))
	const flags = raw.flags.length > 0 ? unknownFlags(raw.flags) : NONE
	const { pref } = raw
	const preferred: Route = pref === 'low' || pref === 'high' ? { ...route, pref } : route
	if (more.length === 0) return { route: preferred, unknown: flags }
	const { nextHops, unknown } = hopsOf(raw, known)
	const { encap, unknown: oddEncap } = encapOf(raw)
	const { metrics, unknown: oddMetrics } = metricsOf(raw.metrics)
	return {
		route: { ...preferred, ...rarities(raw, family), ...nextHops, ...(encap && { encap }), ...(metrics && { metrics }) },
		unknown: [...flags, ...unknown, ...oddEncap, ...oddMetrics, ...more.filter(key => !KEYS.has(key))],
	}
}

const NONE: readonly string[] = []

function rarities({ from, tos, flow, expires, nhid }: RawRoute, family: Family): Partial<Route> {
	return {
		...(from !== undefined && { from: prefix(from, family) }),
		...(tos !== undefined && tos !== 0 && { tos }),
		...(flow && { realms: realmsOf(flow) }),
		...(expires !== undefined && { expiresSeconds: expires }),
		...(nhid !== undefined && { nextHopId: nhid }),
	}
}

/** If `net.ipv4.nexthop_compat_mode` is 0, only the nexthop objects show the gateway and link of a route. */
function hopsOf({ nexthops, nhid, dev }: RawRoute, { indexes, objects }: RouteContext): { nextHops: Partial<Route>; unknown: string[] } {
	const hops = (nexthops ?? []).map(raw => toNextHop(raw, indexes))
	if (hops.length > 0)
		return { nextHops: { nextHops: hops.map(({ nextHop }) => nextHop) }, unknown: hops.flatMap(({ unknown }) => unknown) }
	const object = nhid !== undefined && dev === undefined ? objects.get(nhid) : undefined
	return { nextHops: object ? leadingTo(object, objects) : {}, unknown: [] }
}

function leadingTo({ via, link, onlink, group }: NextHopObject, objects: RouteContext['objects']): Partial<Route> {
	if (!group) return { onlink, ...(via !== undefined && { via }), ...(link !== undefined && { link }) }
	const members = group.flatMap(({ id, weight }) => {
		const member = objects.get(id)
		return member ? [{ member, weight }] : []
	})
	return {
		nextHops: members.map(({ member, weight }) => ({
			weight,
			onlink: member.onlink,
			...(member.via !== undefined && { via: member.via }),
			...(member.link !== undefined && { link: member.link }),
		})),
	}
}

function metricsOf(found: RawRoute['metrics']): { metrics?: Record<string, string>; unknown: string[] } {
	if (!found) return { unknown: [] }
	const entries = found.flatMap(Object.entries)
	const isKnown = ([name]: [string, unknown]) => name in METRICS || name === 'ecn'
	return {
		metrics: Object.fromEntries(entries.filter(isKnown).map(([name, value]) => metric(name, value))),
		unknown: entries.filter(entry => !isKnown(entry)).map(([name]) => name),
	}
}

function metric(name: string, value: unknown): [string, string] {
	if (name === 'ecn') return ['features', 'ecn']
	return [METRICS[name] ?? name, TIMES.has(name) ? `${value}ms` : String(value)]
}

export function prefix(shown: string, family: Family): string {
	if (shown === 'default' || shown === 'all') return family === 4 ? '0.0.0.0/0' : '::/0'
	return shown.includes('/') ? shown : `${shown}/${family === 4 ? 32 : 128}`
}

/** `default` alone does not show the family of a route; `pref` does, because only IPv6 routes have it. */
function familyOf({ dst, pref }: RawRoute): Family {
	return dst.includes(':') || pref !== undefined ? 6 : 4
}
