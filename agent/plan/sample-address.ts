import { addressAfter, contains, ipOf, lengthOf, networkOf } from '../../contract/ip.ts'
import type { Family, HostState } from '../model/host-state.ts'
import { full } from '../model/networks.ts'
import { MAIN } from '../model/route.ts'

/** Sample addresses that represent a whole network. */

/** Candidate addresses in each half of the address space. The first one that only a default route matches is used. */
const WORLD: Readonly<Record<Family, readonly (readonly [string, ...string[]])[]>> = {
	4: [
		['9.9.9.9', '45.45.45.45', '77.77.77.77'],
		['198.41.0.4', '151.101.0.1', '223.5.5.5'],
	],
	6: [
		['2620:fe::fe', '2001:503:ba3e::2:30', '2a00:1450::1'],
		['9000::1', 'b000::1', 'd000::1'],
	],
}

/**
 * @param except networks that should not contain a sample
 * @returns one address in each half of the address space, if possible one that no specific route of the main table matches
 */
export function outside(family: Family, { routes }: Pick<HostState, 'routes'>, except: readonly string[] = []): string[] {
	const special = routes.filter(route => route.family === family && route.table === MAIN && lengthOf(route.to) > 1)
	const known = [...special.map(({ to }) => to), ...except]
	return WORLD[family].map(half => half.find(ip => !known.some(to => contains(to, ip))) ?? half[0])
}

/**
 * @param given addresses that are known to the run, so that each represents itself
 * @returns the address for a message; an address that represents all other destinations is marked as a sample
 */
export function destinationWords(ip: string, given: readonly string[]): string {
	return WORLD[ip.includes(':') ? 6 : 4].some(half => half.includes(ip)) && !given.includes(ip)
		? sampleWords('destinations outside', ip)
		: ip
}

/** @returns `destinations outside (such as 9.9.9.9)` */
export function sampleWords(of: string, ip: string): string {
	return `${of} (such as ${ip})`
}

/**
 * @param beside networks that must not contain the result
 * @returns an address of a network that is not in `except`; undefined if the first ones do not include such an address
 */
export function addressIn(network: string, except: ReadonlySet<string>, beside: readonly string[] = []): string | undefined {
	const base = ipOf(networkOf(network))
	// A network of one or two addresses has no separate network address (RFC 3021).
	let ip = addressAfter(base, full(base) - lengthOf(network) > 1 ? 1 : 0)
	for (let tried = 0; tried < MOST_TRIED && contains(network, ip); tried++) {
		const other = beside.find(one => contains(one, ip))
		if (other === undefined && !except.has(ip)) return ip
		ip = other === undefined ? addressAfter(ip, 1) : addressAfter(ipOf(networkOf(other)), 2 ** (full(other) - lengthOf(other)))
	}
}

/** Maximum number of addresses of a network that are tried. */
const MOST_TRIED = 31

/** @returns every address that this host has */
export function ownAddresses({ links }: Pick<HostState, 'links'>): Set<string> {
	return new Set(links.flatMap(({ addresses }) => addresses.map(({ cidr }) => ipOf(cidr))))
}

/** Whether an address is a loopback address. */
export function isLoopback(ip: string): boolean {
	return ip.startsWith('127.') || ip === '::1'
}
