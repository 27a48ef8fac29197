import type { Link } from '../host/state.ts'
import { familyOf, ipOf } from './routing.ts'
import type { Change } from './steps.ts'

/**
 * Asks, before a link is given IPv4 addresses, whether another host on the wire has them. Not for IPv6: the kernel asks by itself,
 * and uses an address only then.
 *
 * @param name what the link is called when it is asked on
 * @param wanted addresses with prefix length
 */
export function questionOf({ ifindex, addresses }: Link, name: string, wanted: readonly string[]): Change[] {
	const held = new Set(addresses.map(({ cidr }) => ipOf(cidr)))
	const ips = wanted.map(ipOf).filter(ip => familyOf(ip) === 4 && !held.has(ip))
	return ips.length === 0 ? [] : [{ kind: 'ask', link: ifindex, name, ips }]
}
