import type { Address } from '../model/address.ts'
import { type Device, deviceWord } from './device-word.ts'

/**
 * Formats addresses in the syntax of ip-address(8), with every attribute that can be set. Attributes that the kernel derives are omitted.
 */

/** @returns `addr replace 10.0.0.23/24 brd + dev if3` */
export function addressToAdd(address: Address, link: number, device: Device = deviceWord): string {
	const words = [prefixWords(address), extras(address), `dev ${device(link)}`, lifetimes(address)]
	return `addr replace ${words.filter(Boolean).join(' ')}`
}

/** @returns `addr del 10.0.0.23/24 dev if3` */
export function addressToRemove(address: Address, link: number, device: Device = deviceWord): string {
	return `addr del ${prefixWords(address)} dev ${device(link)}`
}

function prefixWords({ cidr, peer }: Address): string {
	if (peer === undefined) return cidr
	const [ip, length] = cidr.split('/')
	return `${ip} peer ${peer}/${length}`
}

function extras({ broadcast, anycast, scope, label, metric, flags = [] }: Address): string {
	return [
		broadcast === undefined ? '' : `brd ${broadcast}`,
		anycast === undefined ? '' : `anycast ${anycast}`,
		scope === undefined ? '' : `scope ${scope}`,
		label === undefined ? '' : `label ${label}`,
		metric === undefined ? '' : `metric ${metric}`,
		...flags,
	]
		.filter(Boolean)
		.join(' ')
}

/** Protocols up to 3 are assigned by the kernel only. */
function lifetimes({ validSeconds, preferredSeconds, protocol = 0 }: Address): string {
	const valid = validSeconds ?? 'forever'
	const isEndless = validSeconds === undefined && preferredSeconds === undefined
	return [isEndless ? '' : `valid_lft ${valid} preferred_lft ${preferredSeconds ?? valid}`, protocol > 3 ? `proto ${protocol}` : '']
		.filter(Boolean)
		.join(' ')
}
