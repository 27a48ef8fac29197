import type { CheckStep } from '../ip/batches.ts'
import { blaming } from '../model/failure.ts'
import { type ArpResult, arpProbe } from './arping.ts'
import { limited } from './limited.ts'

/** Maximum number of concurrent probes, each a process that waits for up to two seconds. */
export const MOST_AT_ONCE = 256

/**
 * Checks the addresses of all these steps concurrently, before any of them is assigned. Probes each address once per link.
 *
 * An answer with the interface's own MAC comes from a virtual switch that knows its port. A missing answer is not proof: a switch that only
 * passes packets from the addresses of the port drops the probe.
 *
 * @param probe sends the probes for an address on a link
 * @returns why addresses could not be checked, without repetitions
 * @throws Failure ADDRESS_IN_USE that blames every interface whose address another host has
 */
export async function assertNoDuplicates(steps: readonly CheckStep[], probe: typeof arpProbe = arpProbe): Promise<string[]> {
	const probes = steps.flatMap(({ id, action }) => action.ips.map(ip => ({ id, ip, ...action })))
	const distinct = [...new Map(probes.map(one => [keyOf(one), one])).values()]
	const results = await limited(distinct, MOST_AT_ONCE, ({ ip, name }) => probe(ip, name))
	const found = new Map(distinct.map((one, at) => [keyOf(one), results[at]]))
	const used = probes.flatMap(({ id, ip, mac, name }) => {
		const holder = macOf(found.get(keyOf({ ip, name })))
		return holder !== undefined && holder !== mac && id !== undefined ? [{ id, message: `${holder} answers for ${ip} on ${name}` }] : []
	})
	if (used.length > 0) throw blaming('ADDRESS_IN_USE', used)
	return [
		...new Set(results.flatMap(result => ('notChecked' in result ? [`duplicate addresses are not checked: ${result.notChecked}`] : []))),
	]
}

function keyOf({ ip, name }: { ip: string; name: string }): string {
	return `${name} ${ip}`
}

function macOf(result: ArpResult | undefined): string | undefined {
	return result && 'mac' in result ? result.mac : undefined
}
