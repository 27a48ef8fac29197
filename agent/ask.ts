import type { Address, Link } from './host/state.ts'
import { familyOf, ipOf } from './routing.ts'
import type { Change } from './steps.ts'

/**
 * Asks, before a link is given IPv4 addresses, whether another host on the wire has them. Not for IPv6: the kernel asks by itself,
 * and uses an address only then.
 *
 * @param wanted addresses with prefix length; `stale`: the removals that come before
 */
export function questionOf(link: Link, { wanted, stale }: { wanted: readonly string[]; stale: readonly Change[] }): Change[] {
	const held = new Set(link.addresses.map(({ cidr }) => ipOf(cidr)))
	const ips = wanted.map(ipOf).filter(ip => familyOf(ip) === 4 && !held.has(ip))
	if (ips.length === 0) return []
	const leaving = new Set(stale.flatMap(change => (change.kind === 'removeAddress' ? [change.address.cidr] : [])))
	const hasOwn = link.addresses.some(({ family, cidr }) => family === 4 && !leaving.has(cidr))
	return [{ kind: 'ask', link: link.ifindex, mac: link.mac, ips, ...(!hasOwn && { from: askingAddress(link) }) }]
}

/**
 * A link-local address (RFC 3927) for the time of asking: without one the kernel would ask in the name of another link's address, and
 * so tell everybody that it is here. From its upper quarter, for lower ones are in use for metadata, caches and gateways of clouds.
 */
function askingAddress({ mac }: Link): Address {
	const [high = 0, low = 0] = mac
		.split(':')
		.slice(4)
		.map(byte => Number.parseInt(byte, 16))
	return { family: 4, cidr: `169.254.${192 + (high % 60)}.${1 + (low % 254)}/32`, global: false, dynamic: false }
}
