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
	/** Its members; a group has neither a next hop nor a link itself. */
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
	/** 0 for an IPv4 route without one, 1024 for an IPv6 route without one. */
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
	/** The next hop object that the route uses; where that leads is in `via`, `link` and `nextHops`. */
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
	/** Seconds until the kernel removes it (IPv6). */
	expiresSeconds?: number
}
