/** Routes and next hops as the kernel reports them. */

type Family = 4 | 6

/** One of several next hops of a route. */
export type NextHop = {
	via?: string
	/** ifindex. */
	link?: number
	/** 1 to 256. */
	weight: number
	onlink: boolean
	encap?: string
	realms?: string
}

/** @see ip-nexthop(8) */
export type NextHopObject = {
	id: number
	family: Family
	via?: string
	/** ifindex. */
	link?: number
	onlink: boolean
	encap?: string
	blackhole?: true
	fdb?: true
	/** The members of a group; a group itself has neither a next hop nor a link. */
	group?: readonly { id: number; weight: number }[]
	/** For a resilient group: buckets, and timers in seconds. */
	resilient?: { buckets: number; idle: number; unbalanced: number }
	protocol: number
}

export type Route = {
	family: Family
	/** `default` is written out: `0.0.0.0/0`, `::/0`. */
	to: string
	via?: string
	/** ifindex; absent for a route without a link (blackhole, several next hops). */
	link?: number
	table: number
	/** If the route has no explicit metric: 0 for IPv4, 1024 for IPv6. */
	metric: number
	/** RTPROT number: 2 kernel, 3 boot, 4 static, 9 router advertisement, 16 DHCP. */
	protocol: number
	/** RTN number: 1 unicast. */
	type: number
	/** RT_SCOPE number: 0 universe, 253 link. */
	scope: number
	source?: string
	onlink: boolean
	/** Several next hops; then `via` and `link` are absent. */
	nextHops?: readonly NextHop[]
	/** The next hop object that the route uses; its next hops are in `via`, `link` and `nextHops`. */
	nextHopId?: number
	/** In the syntax of `ip route`: `mpls 100`. */
	encap?: string
	/** Prefix that the source of a packet must match (IPv6). */
	from?: string
	/** DS field that a packet must have; absent: 0. */
	tos?: number
	/** RTAX name → value in the syntax of `ip route`: `1400`, `lock 1400`. */
	metrics?: Readonly<Record<string, string>>
	/** `from/to`, or `to` alone. */
	realms?: string
	/** Router preference, if not medium (IPv6). */
	pref?: 'low' | 'high'
	/** Seconds until the kernel removes the route (IPv6). */
	expiresSeconds?: number
}

/** The main table, which contains the routes that specify no table. */
export const MAIN = 254

type KeyOfRoute = Omit<Route, 'protocol' | 'scope' | 'onlink' | 'source'>

export function plainMetric(family: Family): number {
	return family === 6 ? 1024 : 0
}

/** @returns whether a route has an explicit metric; the default of the kernel is 0, or 1024 for IPv6 */
export function hasMetric({ family, metric }: Pick<Route, 'family' | 'metric'>): boolean {
	return metric !== plainMetric(family)
}

/** @returns ifindexes of every link that a route uses: its own, and those of its next hops; each once */
export function linksOf({ link, nextHops }: Pick<Route, 'link' | 'nextHops'>): number[] {
	if (!nextHops) return link === undefined ? [] : [link]
	return [...new Set([link, ...nextHops.map(hop => hop.link)])].filter(index => index !== undefined)
}

/** @returns the next hops of a route, each with its link; empty if the route has none */
export function gatewaysOf({ via, link, nextHops }: Pick<Route, 'via' | 'link' | 'nextHops'>): { ip: string; link: number }[] {
	const hops = nextHops ?? [{ via, link }]
	return hops.flatMap(hop => (hop.via === undefined || hop.link === undefined ? [] : [{ ip: hop.via, link: hop.link }]))
}

function rareKeys({ tos, from, nextHops = [] }: KeyOfRoute): string[] {
	const hops = nextHops.map(({ via, link, weight }) => `nexthop ${via ?? ''} ${link ?? ''} ${weight}`)
	return [...(tos === undefined ? [] : [`tos ${tos}`]), ...(from === undefined ? [] : [`from ${from}`]), ...hops]
}

/** @returns the key that identifies a route. It does not contain the protocol number, which may differ after a reboot */
export function routeKey(route: KeyOfRoute): string {
	const { family, to, via, link, table, metric, type } = route
	const plain = [family, to, via ?? '', link ?? '', table, metric, type].join(' ')
	const { tos, from, nextHops } = route
	return tos === undefined && from === undefined && nextHops === undefined ? plain : [plain, ...rareKeys(route)].join(' ')
}
