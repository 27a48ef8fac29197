import { failure } from './failure.ts'
import type { Host } from './host/host.ts'
import { ipOf } from './routing.ts'
import type { Step } from './steps.ts'

/** The kernel asks for a second, after a pause of up to another (milliseconds). */
const PATIENCE = 3_000

/**
 * Waits until the kernel has asked the wire for the IPv6 addresses that these steps give; it does not use one before. On a link without
 * a carrier it does not ask, so it is not waited for longer than that takes elsewhere.
 *
 * @throws Failure ADDRESS_IN_USE that blames the interface
 */
export async function refuseDuplicates(host: Host, steps: readonly Step[]): Promise<void> {
	const given = steps.flatMap(({ id, change }) =>
		change.kind === 'addAddress' && change.address.family === 6 ? [{ id, link: change.link, ip: ipOf(change.address.cidr) }] : [],
	)
	const end = performance.now() + PATIENCE
	while (given.length > 0 && performance.now() < end) {
		const open = await host.tentative()
		const ours = given.flatMap(({ id, link, ip }) => open.filter(one => one.link === link && one.ip === ip).map(one => ({ ...one, id })))
		const refused = ours.find(one => one.refused)
		if (refused) throw failure('ADDRESS_IN_USE', `another host has ${refused.ip}`, { id: refused.id })
		if (ours.length === 0) return
		await new Promise(resolve => setTimeout(resolve, 100))
	}
}
