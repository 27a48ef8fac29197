/** An address as the kernel reports it. */

type Family = 4 | 6

/** Flags of an address that can be set. @see ip-address(8), CONFFLAG */
export const ADDRESS_FLAGS = ['noprefixroute', 'nodad', 'optimistic', 'home', 'mngtmpaddr', 'autojoin'] as const
export type AddressFlag = (typeof ADDRESS_FLAGS)[number]

export type Address = {
	family: Family
	/** Address with prefix length, as the kernel prints it: `10.0.0.23/24`. */
	cidr: string
	/** False for link-local addresses (fe80::/10, 169.254.0.0/16), which the kernel or a daemon may have added automatically. */
	global: boolean
	/** Whether the address has a lifetime, set by DHCP or a router advertisement. */
	dynamic: boolean
	/** Seconds; absent: forever. */
	validSeconds?: number
	/** Seconds; absent: as long as the address is valid. */
	preferredSeconds?: number
	/** The kernel has detected that another host has the address, and does not use it (IPv6). */
	duplicate?: boolean
	/** The kernel added the address automatically and replaces it when it expires (RFC 8981). */
	temporary?: true
	broadcast?: string
	anycast?: string
	/** The other end of a point-to-point link; the prefix length then applies to the peer. */
	peer?: string
	/** RT_SCOPE number of an IPv4 address, if not 0. The scope of an IPv6 address follows from the address itself. */
	scope?: number
	/** Label of an IPv4 address, if it is not the name of the link. */
	label?: string
	/** Metric of the connected route, if one was set. */
	metric?: number
	/** The flags that are set, in the order of ADDRESS_FLAGS. */
	flags?: readonly AddressFlag[]
	/** IFAPROT number, if `ip` shows it (iproute2 6.3). */
	protocol?: number
}
