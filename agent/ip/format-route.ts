import type { Neighbour } from '../model/host-state.ts'
import type { NextHop, NextHopObject, Route } from '../model/route.ts'
import { type Device, deviceWord } from './device-word.ts'
import { hex } from './hex.ts'

/** Formats routes, next hop objects and neighbours in the syntax of ip-route(8), ip-nexthop(8) and ip-neighbour(8). */

/** Keywords of route types, by RTN number. Unicast has no keyword. */
const TYPES = ['', '', 'local', 'broadcast', 'anycast', 'multicast', 'blackhole', 'unreachable', 'prohibit', 'throw']
const BLACKHOLE = 6

/** @returns the arguments after `route add`; several next hops come last */
export function routeToAdd(route: Route, device: Device = deviceWord): string {
	const head = words(nodeWords(route), wayWords(route, device), attributeWords(route), infoWords(route))
	return words(head, `proto ${route.protocol}`, hopsWords(route, device))
}

/** @returns the arguments after `route del`, without metrics, because the kernel would compare them */
export function routeToRemove(route: Route, device: Device = deviceWord): string {
	return words(nodeWords(route), wayWords(route, device), attributeWords(route), hopsWords(route, device))
}

function nodeWords({ type, to, from, tos }: Route): string {
	return words(TYPES[type] ?? String(type), to, from && `from ${from}`, tos !== undefined && `tos ${hex(tos)}`)
}

/** For IPv6, the kernel attaches a route that rejects packets to the loopback link, which must not be specified. */
function wayWords({ nextHopId, nextHops, encap, via, link, family, type }: Route, device: Device): string {
	if (nextHopId !== undefined) return `nhid ${nextHopId}`
	if (nextHops) return ''
	return words(encap && `encap ${encap}`, viaWords(via, family), link !== undefined && type < BLACKHOLE && `dev ${device(link)}`)
}

function attributeWords(route: Route): string {
	const { table, metric, source, onlink, nextHopId } = route
	return words(
		`table ${table}`,
		metric !== 0 && `metric ${metric}`,
		scopeWords(route),
		source && `src ${source}`,
		onlink && nextHopId === undefined && 'onlink',
	)
}

/** Without a next hop, `ip` would choose the scope by the route type; with a next hop, the default is 0. IPv6 routes have no scope. */
function scopeWords({ family, via, nextHops, nextHopId, scope }: Route): string {
	const hasHop = via !== undefined || nextHops !== undefined || nextHopId !== undefined
	return family === 6 || (hasHop && scope === 0) ? '' : `scope ${scope}`
}

function infoWords({ realms, pref, expiresSeconds, metrics = {} }: Route): string {
	return words(
		realms && `realms ${realms}`,
		pref && `pref ${pref}`,
		expiresSeconds !== undefined && `expires ${expiresSeconds}`,
		...Object.entries(metrics).map(([name, value]) => `${name} ${value}`),
	)
}

function hopsWords({ nextHops = [], nextHopId, family }: Route, device: Device): string {
	return nextHopId === undefined ? nextHops.map(hop => hopWords(hop, family, device)).join(' ') : ''
}

function hopWords({ via, link, weight, onlink, encap, realms }: NextHop, family: 4 | 6, device: Device): string {
	const way = words(encap && `encap ${encap}`, viaWords(via, family), link !== undefined && `dev ${device(link)}`)
	return words('nexthop', way, `weight ${weight}`, onlink && 'onlink', realms && `realms ${realms}`)
}

/** An IPv4 route may have an IPv6 next hop. */
function viaWords(via: string | undefined, family: 4 | 6): string {
	return via === undefined ? '' : `via ${family === 4 && via.includes(':') ? 'inet6 ' : ''}${via}`
}

/** @returns `nexthop replace id 7 via 10.0.0.1 dev if3`; the family of an object without a next hop is set by `ip -6` */
export function nextHopObjectToAdd(object: NextHopObject, device: Device = deviceWord): string {
	const { id, via, link, onlink, encap, group, blackhole, fdb, protocol } = object
	return words(
		`nexthop replace id ${id}`,
		encap && `encap ${encap}`,
		via && `via ${via}`,
		link !== undefined && `dev ${device(link)}`,
		onlink && 'onlink',
		blackhole && 'blackhole',
		group && `group ${group.map(member => `${member.id},${member.weight}`).join('/')}`,
		resilientWords(object),
		fdb && 'fdb',
		protocol !== 0 && `proto ${protocol}`,
	)
}

function resilientWords({ resilient }: NextHopObject): string {
	if (!resilient) return ''
	return `type resilient buckets ${resilient.buckets} idle_timer ${resilient.idle} unbalanced_timer ${resilient.unbalanced}`
}

/** @returns `neigh replace 10.0.0.9 lladdr 02:… dev if3 nud permanent` */
export function neighbourToAdd({ ip, mac, link, proxy, noArp, flags = [], protocol }: Neighbour, device: Device = deviceWord): string {
	const what = proxy ? `proxy ${ip} dev ${device(link)}` : `${ip} lladdr ${mac} dev ${device(link)} nud ${noArp ? 'noarp' : 'permanent'}`
	return words('neigh replace', what, ...flags, protocol !== undefined && `protocol ${protocol}`)
}

function words(...all: (string | false | undefined)[]): string {
	return all.filter(Boolean).join(' ')
}
