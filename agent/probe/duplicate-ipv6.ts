import { setTimeout as sleep } from 'node:timers/promises'
import { ipOf } from '../../contract/ip.ts'
import type { Tentative } from '../host/tentative-addresses.ts'
import type { Step } from '../model/change.ts'
import { blaming } from '../model/failure.ts'
import type { Link } from '../model/host-state.ts'
import type { ProbedHost } from './probed-host.ts'

/** The kernel probes for one second, after a delay of up to one second (milliseconds). */
const TIMEOUT_MS = 3_000
/** Pauses between two polls, each a process; the last one repeats (milliseconds). */
const PAUSES = [400, 600, 250]

/** An IPv6 address that a step adds. */
type AddedAddress = { id: number; link: number; ip: string }

/**
 * Waits until the kernel has finished duplicate address detection for the IPv6 addresses that these steps add; it does not use an address
 * before. On a link without a carrier, detection does not start, so there is a timeout.
 *
 * @returns the addresses for which the kernel has no result yet
 * @throws Failure ADDRESS_IN_USE that blames every interface whose address another host has
 */
export async function assertNoIpv6Duplicates(host: ProbedHost, steps: readonly Step[]): Promise<AddedAddress[]> {
	const added = steps.flatMap(({ id, change }) =>
		id !== undefined && change?.kind === 'addAddress' && change.address.family === 6
			? [{ id, link: change.link, ip: ipOf(change.address.cidr) }]
			: [],
	)
	if (added.length === 0) return []
	const end = performance.now() + TIMEOUT_MS
	for (let polls = 0; ; polls++) {
		const { refused, open } = byResult(added, await host.tentativeAddresses())
		if (open.length > 0 && performance.now() < end) {
			await sleep(PAUSES[Math.min(polls, PAUSES.length - 1)])
			continue
		}
		if (refused.length === 0) return open
		throw blaming(
			'ADDRESS_IN_USE',
			refused.map(({ id, ip }) => ({ id, message: `another host has ${ip}` })),
		)
	}
}

function byResult(added: readonly AddedAddress[], tentative: readonly Tentative[]): { refused: AddedAddress[]; open: AddedAddress[] } {
	const of = ({ link, ip }: AddedAddress) => tentative.find(one => one.link === link && one.ip === ip)
	return { refused: added.filter(one => of(one)?.refused === true), open: added.filter(one => of(one)?.refused === false) }
}

/**
 * Describes the result of the duplicate address checks for these steps: no duplicates, or which addresses are not checked, and why.
 *
 * @param notChecked why IPv4 addresses could not be checked
 * @param open IPv6 addresses for which the kernel has no result yet
 */
export function duplicateCheckWords(
	steps: readonly Step[],
	{ notChecked, open, links }: { notChecked: readonly string[]; open: readonly AddedAddress[]; links: readonly Link[] },
): { words: string[]; notes: string[] } {
	const given = new Set(
		steps.flatMap(({ change, action }) => {
			if (action) return action.kind === 'checkDuplicates' ? [action.link] : []
			return change.kind === 'addAddress' && change.address.family === 6 ? [change.link] : []
		}),
	)
	const deaf = links.filter(({ ifindex, carrier }) => given.has(ifindex) && !carrier)
	const late = open.filter(({ link }) => !deaf.some(({ ifindex }) => ifindex === link)).map(({ ip }) => ip)
	const notes = [
		...notChecked,
		...(deaf.length > 0 ? [`duplicate addresses are not checked without a carrier: ${deaf.map(({ name }) => name).join(', ')}`] : []),
		...(late.length > 0 ? [`whether another host has ${late.join(', ')} is not known yet`] : []),
	]
	return { words: given.size > 0 && notes.length === 0 ? ['no duplicate address'] : [], notes }
}
