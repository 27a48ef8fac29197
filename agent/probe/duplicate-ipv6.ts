import { setTimeout as sleep } from 'node:timers/promises'
import { ipOf } from '../../contract/ip.ts'
import type { Tentative } from '../host/tentative-addresses.ts'
import type { Step } from '../model/change.ts'
import { blaming } from '../model/failure.ts'
import type { Link } from '../model/host-state.ts'
import type { ProbedHost } from './probed-host.ts'

/** The kernel probes for one second, after a pause of up to another (milliseconds). */
const PATIENCE = 3_000
/** Pauses between two polls, each a process; the last one repeats (milliseconds). */
const PAUSES = [400, 600, 250]

/** An IPv6 address that a step adds. */
type Given = { id: number; link: number; ip: string }

/**
 * Waits until the kernel has finished duplicate address detection for the IPv6 addresses that these steps add; it does not use an address
 * before. On a link without a carrier it does not start, so the wait is no longer than it takes elsewhere.
 *
 * @returns the addresses whose result the kernel does not know yet
 * @throws Failure ADDRESS_IN_USE that blames every interface whose address another host has
 */
export async function refuseDuplicates(host: ProbedHost, steps: readonly Step[]): Promise<Given[]> {
	const given = steps.flatMap(({ id, change }) =>
		id !== undefined && change.kind === 'addAddress' && change.address.family === 6
			? [{ id, link: change.link, ip: ipOf(change.address.cidr) }]
			: [],
	)
	if (given.length === 0) return []
	const end = performance.now() + PATIENCE
	for (let looks = 0; ; looks++) {
		const { refused, open } = judge(given, await host.tentative())
		if (open.length > 0 && performance.now() < end) {
			await sleep(PAUSES[Math.min(looks, PAUSES.length - 1)])
			continue
		}
		if (refused.length === 0) return open
		throw blaming(
			'ADDRESS_IN_USE',
			refused.map(({ id, ip }) => ({ id, message: `another host has ${ip}` })),
		)
	}
}

function judge(given: readonly Given[], seen: readonly Tentative[]): { refused: Given[]; open: Given[] } {
	const of = ({ link, ip }: Given) => seen.find(one => one.link === link && one.ip === ip)
	return { refused: given.filter(one => of(one)?.refused === true), open: given.filter(one => of(one)?.refused === false) }
}

/**
 * Describes the addresses that these steps added: no other host has them, or why that is not known.
 *
 * @param unasked why IPv4 addresses could not be checked
 * @param open IPv6 addresses whose result the kernel does not know yet
 */
export function tellAddresses(
	steps: readonly Step[],
	{ unasked, open, links }: { unasked: readonly string[]; open: readonly Given[]; links: readonly Link[] },
): { words: string[]; notes: string[] } {
	const given = new Set(
		steps.flatMap(({ change }) =>
			change.kind === 'ask' || (change.kind === 'addAddress' && change.address.family === 6) ? [change.link] : [],
		),
	)
	const deaf = links.filter(({ ifindex, carrier }) => given.has(ifindex) && !carrier)
	const late = open.filter(({ link }) => !deaf.some(({ ifindex }) => ifindex === link)).map(({ ip }) => ip)
	const notes = [
		...unasked,
		...(deaf.length > 0 ? [`duplicate addresses are not checked without a carrier: ${deaf.map(({ name }) => name).join(', ')}`] : []),
		...(late.length > 0 ? [`whether another host has ${late.join(', ')} is not known yet`] : []),
	]
	return { words: given.size > 0 && notes.length === 0 ? ['no duplicate address'] : [], notes }
}
