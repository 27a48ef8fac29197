/** What one observation of a host holds: the kernel's own words, ordered, with links named by ifindex. */

import type { Address } from './state-address.ts'
import type { NextHopObject, Route } from './state-route.ts'

export type { Address } from './state-address.ts'
export type { NextHop, NextHopObject, Route } from './state-route.ts'

export type Family = 4 | 6

export type Daemon = 'NetworkManager' | 'systemd-networkd'

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
	/** Families whose routes over it the kernel ignores for the lack of a carrier; looked for only on a link that is up and has none. */
	ignored?: readonly Family[]
	mtu: number
	minMtu: number
	/** 0: the driver names no limit. */
	maxMtu: number
	/** Name of the bridge, bond or VRF it is a port of. */
	master?: string
	/** ifindex of the link it stands on (VLAN, macvlan) or of its peer (veth); absent where that is in another network namespace. */
	lower?: number
	/** Number of its group; absent: the default group, 0. */
	group?: number
	addresses: readonly Address[]
	/** The kernel refuses IPv6 addresses on it (`disable_ipv6`); looked for only on links that matter to the run. */
	ipv6Disabled?: true
	/** The daemon that configures it now. */
	managedBy?: Daemon
	/** The .network file by which systemd-networkd does so. */
	networkFile?: string
	/**
	 * `net/ipv4/conf/NAME/…` by its part below NAME's folder (`ipv4/arp_ignore`); only for links that matter to the run. `ipv6/mtu` only where it
	 * differs from the link's MTU, which it follows otherwise.
	 */
	sysctls: Readonly<Record<string, string>>
	/** The device below /sys/devices and its driver; only for links that matter to the run, and not for virtual ones. */
	device?: { path: string; driver: string }
	/** What `ip -j` says of it, or of its addresses, routes or neighbours, and this agent does not know: the key, and the command that shows it. */
	unknown?: readonly { key: string; see: string }[]
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
	/** Whether it says no more than priority, from, to and table. */
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
	/** The kernel never checks whether it is still there (`nud noarp`). */
	noArp?: true
	/** `router`, `extern_learn`, `managed`. */
	flags?: readonly string[]
	protocol?: number
}

/** `unreadable`: why it could not be read, so that it may say anything; `content` is then empty. */
export type FileState = { content: string; mode: number; gid: number; unreadable?: string }

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
	/** What cloud-init has of us: the wanted MACs that it remembers, whether its command line beats its files, whether it reads at every boot which NICs there are. */
	cloudInit: { macs: readonly string[]; forced: boolean; everyBoot?: boolean }
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
	/** MACs of recorded NICs whose device is here and whose link is in another network namespace. */
	inOtherNamespace?: readonly string[]
	/** When it was observed (seconds since 1970). */
	seconds?: number
	/** Files that may be ours, and those that could contradict ours; absolute path on the host → what is there. */
	files: Readonly<Record<string, FileState>>
}
