import { contains, isNetworkOrBroadcast, lengthOf, networkOf } from '../../contract/ip.ts'
import type { Address, AddressFlag } from '../model/address.ts'
import type { Link } from '../model/host-state.ts'
import { familyOf } from '../model/networks.ts'
import { isMadeByKernel, isRouteless, metricOf } from '../model/origin.ts'

/** Attributes of an address other than its prefix, and which of them the kernel can change in place. */

/** Addresses with different attributes. `changed`: `ip addr replace` corrects them; all others must be removed and added again. */
export type Differing = { anew: readonly string[]; changed: readonly string[] }

/**
 * @param asSeen maps an address on the link to the form used for the comparison
 * @returns the desired addresses that are on the link with different attributes
 */
export function differing(link: Link, wanted: readonly Address[], asSeen: (found: Address) => Address = found => found): Differing {
	const found = link.addresses.filter(address => address.temporary || !isMadeByKernel(address, link))
	const pairs = found.flatMap(address => {
		const same = wanted.filter(({ cidr }) => cidr === address.cidr)
		const target = same.find(({ peer }) => peer === address.peer) ?? same[0]
		return target ? [{ cidr: address.cidr, is: asSeen(address), target }] : []
	})
	const cidrsOf = (differs: (is: Address, target: Address) => boolean) =>
		pairs.flatMap(({ cidr, is, target }) => (differs(is, target) ? [cidr] : []))
	return { anew: cidrsOf(isFixed), changed: cidrsOf(isChangeable) }
}

/** @returns an address as the node config requests it; `brd +` gives an IPv4 address the broadcast address of its network */
export function wantedAddress(cidr: string): Address {
	const family = familyOf(cidr)
	return { family, cidr, global: true, dynamic: false, ...(family === 4 && { broadcast: '+' }) }
}

/**
 * @param name the final name of the link
 * @returns an address without the attributes that may differ after a boot: NetworkManager sets `noprefixroute` and adds the connected
 * route itself, and gives 169.254 addresses link scope; a missing broadcast address has the same effect as the default one of the network;
 * and the kernel creates labels (`multinic0:2`) when a link is renamed
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
 * Returns the IPv4 addresses whose labels change when a link is renamed: the kernel sets the label of the first one to the new name, and
 * creates `NAME:2` for others without a label. @see inetdev_changename
 */
export function relabelled({ addresses }: Pick<Link, 'addresses'>): Address[] {
	return addresses.filter(({ family }) => family === 4).filter(({ label }, at) => at > 0 || label !== undefined)
}

/** @returns the non-default attributes of an address, as words for a message: `a lease`, `metric 513` */
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

/** Whether a label has the form that the kernel creates when a link is renamed. */
function isOfRenaming(label: string): boolean {
	return /^[^:]*:\d+$/.test(label)
}

/**
 * Whether an IPv4 address differs in attributes that `ip addr replace` cannot change. False for IPv6, so the peer of an IPv6 address is
 * ignored.
 */
function isFixed(is: Address, target: Address): boolean {
	if (is.family === 6) return false
	const isOther = is.label !== target.label || (is.scope ?? 0) !== (target.scope ?? 0) || flagsOf(is) !== flagsOf(target)
	return isOther || is.peer !== target.peer || !isSameBroadcast(is, target)
}

function isChangeable(is: Address, target: Address): boolean {
	return metricOf(is) !== metricOf(target) || lifetimeOf(is) !== lifetimeOf(target) || flagsOf(is) !== flagsOf(target)
}

/** Lifetimes count down, so only whether they end is compared. */
function lifetimeOf({ validSeconds, preferredSeconds, dynamic }: Address): string {
	if (dynamic || validSeconds !== undefined) return 'a lease'
	return preferredSeconds === undefined ? 'permanent' : 'deprecated'
}

function flagsOf({ flags = [] }: Address): string {
	return String(flags.filter(isLasting))
}

/** The kernel drops `optimistic` once duplicate address detection is done. */
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
