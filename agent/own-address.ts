import { blaming } from './failure.ts'
import type { Host } from './host/host.ts'
import type { Link } from './host/state.ts'
import { ipOf } from './routing.ts'
import type { Step } from './steps.ts'

/** The kernel asks for a second, after a pause of up to another (milliseconds). */
const PATIENCE = 3_000

/**
 * Waits until the kernel has asked the wire for the IPv6 addresses that these steps give; it does not use one before. On a link without
 * a carrier it does not ask, so it is not waited for longer than that takes elsewhere.
 *
 * @throws Failure ADDRESS_IN_USE that blames every interface whose address another host has
 */
export async function refuseDuplicates(host: Host, steps: readonly Step[]): Promise<void> {
	const given = steps.flatMap(({ id, change }) =>
		id !== undefined && change.kind === 'addAddress' && change.address.family === 6
			? [{ id, link: change.link, ip: ipOf(change.address.cidr) }]
			: [],
	)
	const end = performance.now() + PATIENCE
	while (given.length > 0) {
		const seen = await host.tentative()
		const ours = given.flatMap(({ id, link, ip }) => seen.filter(one => one.link === link && one.ip === ip).map(one => ({ ...one, id })))
		const refused = ours.filter(one => one.refused)
		if (refused.length < ours.length && performance.now() < end) await new Promise(resolve => setTimeout(resolve, 100))
		else if (refused.length === 0) return
		else
			throw blaming(
				'ADDRESS_IN_USE',
				refused.map(({ id, ip }) => ({ id, message: `another host has ${ip}` })),
			)
	}
}

/** @returns the addresses of a link that another host was found to have, in words */
export function duplicateWords({ addresses }: Link): string | undefined {
	const ips = addresses.flatMap(({ cidr, duplicate }) => (duplicate ? [ipOf(cidr)] : []))
	return ips.length > 0 ? `another host has ${ips.join(', ')}` : undefined
}

/** @returns `no duplicate address`, where these steps give any and they could all be asked for */
export function addressWords(steps: readonly Step[], unasked: readonly string[]): string[] {
	const isGiven = steps.some(({ change }) => change.kind === 'ask' || (change.kind === 'addAddress' && change.address.family === 6))
	return isGiven && unasked.length === 0 ? ['no duplicate address'] : []
}
