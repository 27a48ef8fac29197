/** An address as the kernel has it. */

type Family = 4 | 6

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
