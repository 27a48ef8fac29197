import { contains, isNetworkOrBroadcast, networkOf } from '../../contract/ip.ts'
import type { Address, Link } from '../host/state.ts'
import type { AddressFlag } from '../host/state-address.ts'
import { familyOf, lengthOf } from './networks.ts'
import { isMadeByKernel, isRouteless, metricOf } from './origin.ts'

/** What an address has besides its prefix, and what of that the kernel changes in place. */

/** `anew`: only removing and adding the address changes it; `changed`: adding it again (`ip addr replace`) does. */
export type Differing = { anew: readonly string[]; changed: readonly string[] }

/** @param seen an address of the link as it is to be compared @returns which of these addresses the link has, but otherwise */
export function differing(link: Link, wanted: readonly Address[], seen: (found: Address) => Address = found => found): Differing {
	const found = link.addresses.filter(address => address.temporary || !isMadeByKernel(address, link))
	const pairs = found.flatMap(address => {
		const same = wanted.filter(({ cidr }) => cidr === address.cidr)
		const target = same.find(({ peer }) => peer === address.peer) ?? same[0]
		return target ? [{ cidr: address.cidr, is: seen(address), target }] : []
	})
	const cidrsOf = (differs: (is: Address, target: Address) => boolean) =>
		pairs.flatMap(({ cidr, is, target }) => (differs(is, target) ? [cidr] : []))
	return { anew: cidrsOf(isFixed), changed: cidrsOf(isChangeable) }
}

/** @returns an address as the config wants it; with `brd +` one of IPv4 has the broadcast address of its network */
export function wantedAddress(cidr: string): Address {
	const family = familyOf(cidr)
	return { family, cidr, global: true, dynamic: false, ...(family === 4 && { broadcast: '+' }) }
}

/**
 * @param name what the link is called in the end
 * @returns an address without the details that one of ours may have at a boot as well: a daemon adds the connected route itself
 * and gives 169.254 the scope of a link (NetworkManager), no broadcast address does what that of the network does, and the kernel makes
 * labels (`multinic0:2`) in a renaming
 */
export function asOurs(address: Address, link: Link, name: string): Address {
	const { metric, label, scope, flags = [], ...rest } = address
	const isFirst = link.addresses.find(({ family }) => family === 4) === address
	return {
		...(address.family === 4 && { broadcast: '+' }),
		...rest,
		flags: flags.filter(flag => flag !== 'noprefixroute'),
		...(metric !== undefined && !isRouteless(address) && { metric }),
		...(scope !== undefined && address.global && { scope }),
		...(label !== undefined && !isOfRenaming(label) && !(isFirst && link.name !== name) && { label }),
	}
}

/**
 * IPv4 addresses that do not keep their labels where a link is renamed: the kernel gives the first its new name, and makes `NAME:2` for
 * others without a label. @see inetdev_changename
 */
export function relabelled({ addresses }: Pick<Link, 'addresses'>): Address[] {
	return addresses.filter(({ family }) => family === 4).filter(({ label }, at) => at > 0 || label !== undefined)
}

/** @returns in a few words what an address has that is not plain: `a lease`, `metric 513` */
export function detailsOf(address: Address): string[] {
	const { dynamic, duplicate, preferredSeconds, flags = [] } = address
	return [
		dynamic ? 'a lease' : '',
		duplicate ? 'another host has it' : '',
		preferredSeconds === 0 ? 'deprecated' : '',
		...otherDetails(address),
		...flags.filter(isLasting),
	].filter(Boolean)
}

function otherDetails(address: Address): string[] {
	const { cidr, scope, label = '', peer, metric, broadcast = '+' } = address
	const isOther = metric !== undefined && !isRouteless(address) && metric !== metricOf({ family: address.family })
	return [
		scope === undefined ? '' : `scope ${SCOPES[scope] ?? scope}`,
		label === '' || isOfRenaming(label) ? '' : `label ${label}`,
		peer === undefined ? '' : `peer ${peer}`,
		isOther ? `metric ${metric}` : '',
		isBroadcast(broadcast, cidr) ? '' : `brd ${broadcast}`,
	]
}

const SCOPES: Readonly<Record<number, string>> = { 253: 'link', 254: 'host' }

/** Whether the kernel makes such a label in a renaming. */
function isOfRenaming(label: string): boolean {
	return /^[^:]*:\d+$/.test(label)
}

/** What `ip addr replace` leaves as it is of an IPv4 address; the peer of one of IPv6 is left as it is. */
function isFixed(is: Address, target: Address): boolean {
	if (is.family === 6) return false
	const isOther = is.label !== target.label || (is.scope ?? 0) !== (target.scope ?? 0) || flagsOf(is) !== flagsOf(target)
	return isOther || is.peer !== target.peer || !isSameBroadcast(is, target)
}

function isChangeable(is: Address, target: Address): boolean {
	return metricOf(is) !== metricOf(target) || lifetimeOf(is) !== lifetimeOf(target) || flagsOf(is) !== flagsOf(target)
}

/** Lifetimes run. */
function lifetimeOf({ validSeconds, preferredSeconds, dynamic }: Address): string {
	if (dynamic || validSeconds !== undefined) return 'a lease'
	return preferredSeconds === undefined ? 'for ever' : 'deprecated'
}

function flagsOf({ flags = [] }: Address): string {
	return flags.filter(isLasting).join(' ')
}

/** The kernel drops `optimistic` once it has asked the network. */
function isLasting(flag: AddressFlag): boolean {
	return flag !== 'optimistic'
}

function isSameBroadcast({ broadcast: is, cidr }: Address, { broadcast: target }: Address): boolean {
	if (is === target) return true
	return target === '+' && is !== undefined && isBroadcast(is, cidr)
}

function isBroadcast(ip: string, cidr: string): boolean {
	if (ip === '+') return true
	const form = `${ip}/${lengthOf(cidr)}`
	return contains(cidr, ip) && isNetworkOrBroadcast(form) && form !== networkOf(cidr)
}
