/** What one observation of a host holds: the kernel's own words, ordered, with links named by ifindex. */

export type Family = 4 | 6

export type Daemon = 'NetworkManager' | 'systemd-networkd'

/** Flags of an address that can be set. @see ip-address(8), CONFFLAG */
export const ADDRESS_FLAGS = ['noprefixroute', 'nodad', 'optimistic', 'home', 'mngtmpaddr', 'autojoin'] as const
export type AddressFlag = (typeof ADDRESS_FLAGS)[number]

export type Address = {
	family: Family
	/** Address with prefix length, as the kernel prints it: `10.0.0.23/24`. */
	cidr: string
	/** False for link-local addresses (fe80::/10, 169.254.0.0/16), which the kernel or a daemon may have made by itself. */
	global: boolean
	/** It has a lifetime: DHCP or a router advertisement gave it. */
	dynamic: boolean
	/** Seconds; absent: for ever. */
	validSeconds?: number
	/** Seconds; absent: as long as it is valid. */
	preferredSeconds?: number
	/** The kernel has found that another host has it, and does not use it (IPv6). */
	duplicate?: boolean
	/** The kernel made it by itself and makes another when it expires (RFC 8981). */
	temporary?: true
	broadcast?: string
	anycast?: string
	/** The other end of a point-to-point link; the prefix length is then that of the other end. */
	peer?: string
	/** RT_SCOPE number of an IPv4 address, where it is not 0. That of IPv6 follows from the address. */
	scope?: number
	/** Of an IPv4 address, where it is not the name of the link. */
	label?: string
	/** Of its connected route, where one was given. */
	metric?: number
	/** Those that are set, in the order of ADDRESS_FLAGS. */
	flags?: readonly AddressFlag[]
	/** IFAPROT number, where `ip` shows it (iproute2 6.3). */
	protocol?: number
}

export type Link = {
	ifindex: number
	name: string
	altnames: readonly string[]
	ethernet: boolean
	/** `veth`, `bridge`, `vlan` …; absent for what looks like hardware. */
	kind?: string
	/** As it is now; lower case. */
	mac: string
	/** What the device was made with, where that is known to differ; lower case. */
	permanentMac?: string
	up: boolean
	/** False where nobody is at the other end of its cable, which only a link that is up can tell. */
	carrier: boolean
	mtu: number
	minMtu: number
	/** 0: the driver names no limit. */
	maxMtu: number
	/** Name of the bridge, bond or VRF it is a port of. */
	master?: string
	/** ifindex of the link it stands on (VLAN, macvlan) or of its peer (veth). */
	lower?: number
	addresses: readonly Address[]
	/** The kernel refuses IPv6 addresses on it (`disable_ipv6`); looked for only on links that matter to the run. */
	ipv6Disabled?: true
	/** The daemon that configures it now. */
	managedBy?: Daemon
	/** The .network file by which systemd-networkd does so. */
	networkFile?: string
	/** `net/ipv4/conf/NAME/…` by its part below NAME's folder (`ipv4/arp_ignore`); only for links that matter to the run. */
	sysctls: Readonly<Record<string, string>>
	/** What `ip -j` says of it, or of its addresses, routes or neighbours, and this agent does not know: the key, and the command that shows it. */
	unknown?: readonly { key: string; see: string }[]
}

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
	/** Its members; then it has neither next hop nor link of its own. */
	group?: readonly { id: number; weight: number }[]
	/** Of a resilient group: buckets, and timers in seconds. */
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
	/** 0 for IPv4 without one, 1024 for IPv6 without one. */
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
	/** The next hop object by which it goes; where that leads is in `via`, `link` and `nextHops`. */
	nextHopId?: number
	/** In the words of `ip route`: `mpls 100`. */
	encap?: string
	/** Prefix of the source that a packet must have (IPv6). */
	from?: string
	/** DS field that a packet must have; absent: 0. */
	tos?: number
	/** RTAX name → value in the words of `ip route`: `1400`, `lock 1400`. */
	metrics?: Readonly<Record<string, string>>
	/** `from/to`, or `to` alone. */
	realms?: string
	/** Router preference, where it is not medium (IPv6). */
	pref?: 'low' | 'high'
	/** Seconds until the kernel removes it (IPv6). */
	expiresSeconds?: number
}

/** What a rule does with a packet that it selects; without one it looks up its table. @see ip-rule(8) */
export type RuleAction = 'goto' | 'nop' | 'l3mdev' | 'blackhole' | 'unreachable' | 'prohibit'

export type Rule = {
	family: Family
	priority: number
	/** `10.0.0.23/32`, `0.0.0.0/0` for all. */
	from: string
	/** Absent: all. */
	to?: string
	/** `not`: selects what the selectors do not match. */
	inverted?: true
	/** Names of links; a rule does not follow a link that is renamed. `lo` as `iif`: what this host sends. */
	iif?: string
	oif?: string
	mark?: { value: number; mask: number }
	tos?: number
	/** First and last user id. */
	uids?: readonly [number, number]
	/** IP protocol number. */
	protocol?: number
	/** First and last port. */
	sport?: readonly [number, number]
	dport?: readonly [number, number]
	/** Absent: it looks up `table`. */
	action?: RuleAction
	/** Priority of the rule that `goto` continues with. */
	goto?: number
	/** 0 where the action is not a table. */
	table: number
	/** Routes with a prefix of this length or shorter do not count. */
	suppressPrefixLength?: number
	/** Routes over links of this group do not count. */
	suppressGroup?: number
	/** Keys of `ip -j rule` that this code does not know, so that it cannot say what the rule selects. */
	unknown?: readonly string[]
	/** Whether it says no more than priority, from and table. */
	plain: boolean
	/** Everything the kernel says of it but its priority, as ip-rule(8) prints it. */
	words: string
}

/** A permanent neighbour: somebody configured it. */
export type Neighbour = {
	link: number
	ip: string
	/** Empty for one that is answered for (`proxy`). */
	mac: string
	/** This host answers for it on that link. */
	proxy?: true
	/** `router`, `extern_learn`, `managed`. */
	flags?: readonly string[]
	protocol?: number
}

export type FileState = { content: string; mode: number; gid: number }

/** What stands on this host beside the kernel. */
export type Surroundings = {
	/** systemd runs here and can be asked over the system bus. */
	systemd: boolean
	/** udev runs here, and gives names. */
	udev: boolean
	/** /etc/netplan is there. */
	netplan: boolean
	/** systemd-networkd runs here. */
	networkd: boolean
	/** NetworkManager runs here and can be asked. */
	networkmanager: boolean
	/** There is a folder for NetworkManager's own profiles. */
	keyfiles: boolean
	/** What cloud-init has of us: the wanted MACs that it remembers, and whether its command line beats its files. */
	cloudInit: { macs: readonly string[]; forced: boolean }
	/** The kernel has IPv6. Without it there are no IPv6 addresses, routes, rules or settings, and `ip -6` fails. */
	ipv6: boolean
	/** Kernel ≥ 6.2 renames a link that is up. */
	liveRename: boolean
	/** Path, below the host's root, of netplan's generator. */
	generator?: string
}

export type HostState = Surroundings & {
	links: readonly Link[]
	routes: readonly Route[]
	rules: readonly Rule[]
	neighbours: readonly Neighbour[]
	/** Those that use a link; absent where the kernel or `ip` knows none. */
	nextHopObjects?: readonly NextHopObject[]
	/** Files that may be ours, and those that could contradict ours; absolute path on the host → what is there. */
	files: Readonly<Record<string, FileState>>
}
