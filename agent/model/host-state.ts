/**
 * model/: types that all directories share. This file defines the result of one observation of a host, in the kernel's terms; links are
 * identified by ifindex.
 */

import type { Address } from './address.ts'
import type { NextHopObject, Route } from './route.ts'

export type Family = 4 | 6

export type Daemon = 'NetworkManager' | 'systemd-networkd'

export type Link = {
	ifindex: number
	name: string
	altnames: readonly string[]
	ethernet: boolean
	/** `veth`, `bridge`, `vlan` …; absent for a link that appears to be hardware. */
	kind?: string
	/** The current MAC; lower case. */
	mac: string
	/** The permanent MAC of the device, if it is known to differ; lower case. */
	permanentMac?: string
	up: boolean
	/** False if the link has no carrier, which is known only for a link that is up. */
	carrier: boolean
	/**
	 * Families whose routes over the link the kernel ignores because it has no carrier; checked only on a link that is up without a carrier.
	 */
	ignored?: readonly Family[]
	mtu: number
	minMtu: number
	/** 0: the driver specifies no limit. */
	maxMtu: number
	/** Name of the bridge, bond or VRF that the link is a port of. */
	master?: string
	/** ifindex of its lower link (VLAN, macvlan) or of its peer (veth); absent if the other link is in another network namespace. */
	lower?: number
	/** Number of the link group; absent: the default group, 0. */
	group?: number
	addresses: readonly Address[]
	/** The kernel rejects IPv6 addresses on the link (`disable_ipv6`); checked only on links that matter to the run. */
	ipv6Disabled?: true
	/** The daemon that configures the link now. */
	managedBy?: Daemon
	/** The .network file from which systemd-networkd configures the link. */
	networkFile?: string
	/**
	 * Values of `net/ipv4/conf/NAME/…`, keyed without NAME (`ipv4/arp_ignore`); only for links that matter to the run. Contains `ipv6/mtu`
	 * only if it differs from the link's MTU, which it otherwise follows.
	 */
	sysctls: Readonly<Record<string, string>>
	/** The device below /sys/devices and its driver; only for links that matter to the run, and not for virtual ones. */
	device?: { path: string; driver: string }
	/**
	 * Keys that `ip -j` prints for the link or for its addresses, routes or neighbours, and that this agent does not know, each with the
	 * command that shows the key.
	 */
	unknown?: readonly { key: string; see: string }[]
}

/** What a rule does with a packet that it selects; without an action it looks up its table. @see ip-rule(8) */
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
	/** Names of links; a rule does not follow a link that is renamed. `lo` as `iif`: packets that this host sends. */
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
	/** Absent: the rule looks up `table`. */
	action?: RuleAction
	/** Priority of the rule that `goto` continues with. */
	goto?: number
	/** 0 if the action is not a table lookup. */
	table: number
	/** Ignores routes with a prefix of this length or shorter. */
	suppressPrefixLength?: number
	/** Ignores routes over links of this group. */
	suppressGroup?: number
	/** Keys of `ip -j rule` that this agent does not know, so that it cannot determine what the rule selects. */
	unknown?: readonly string[]
	/** Whether the rule has only priority, from, to, table and protocol, and neither other selectors nor an action. */
	plain: boolean
	/** The rule without its priority, as ip-rule(8) prints it. */
	words: string
}

/** A permanent neighbour, which a user or a program has configured. */
export type Neighbour = {
	link: number
	ip: string
	/** Empty for a proxy entry. */
	mac: string
	/** This host answers for the address on that link. */
	proxy?: true
	/** The kernel never checks whether the neighbour still exists (`nud noarp`). */
	noArp?: true
	/** `router`, `extern_learn`, `managed`. */
	flags?: readonly string[]
	protocol?: number
}

/** `unreadable`: why the file could not be read; `content` is then empty. */
export type FileState = { content: string; mode: number; gid: number; unreadable?: string }

/** What is on this host other than links, addresses, routes and files: daemons, tools and kernel features. */
export type Surroundings = {
	/** systemd runs here and can be reached over the system bus. */
	systemd: boolean
	/** udev runs here and assigns names. */
	udev: boolean
	/** /etc/netplan exists. */
	netplan: boolean
	/** systemd-networkd runs here. */
	networkd: boolean
	/** NetworkManager runs here and answers. */
	networkmanager: boolean
	/** The directory for NetworkManager's own profiles exists. */
	keyfiles: boolean
	/**
	 * State of cloud-init. `macs`: the desired MACs that it has stored; `forced`: the kernel command line overrides its files; `everyBoot`:
	 * it may detect NICs again at every boot.
	 */
	cloudInit: { macs: readonly string[]; forced: boolean; everyBoot?: boolean }
	/** The kernel has IPv6. Without it there are no IPv6 addresses, routes, rules or settings, and `ip -6` fails. */
	ipv6: boolean
	/** Kernel ≥ 6.2 can rename a link that is up. */
	liveRename: boolean
	/** Path, below the host's root, of netplan's generator. */
	generator?: string
}

export type HostState = Surroundings & {
	links: readonly Link[]
	routes: readonly Route[]
	rules: readonly Rule[]
	neighbours: readonly Neighbour[]
	/** The next hop objects that use a link; absent if the kernel or `ip` does not support them. */
	nextHopObjects?: readonly NextHopObject[]
	/** MACs of recorded NICs whose device is on this host and whose link is in another network namespace. */
	inOtherNamespace?: readonly string[]
	/** Time of the observation (seconds since 1970). */
	seconds?: number
	/** Files that may be managed by MultiNIC, and those that could contradict them; absolute path on the host → file. */
	files: Readonly<Record<string, FileState>>
}
