import type { Step } from '../model/change.ts'
import { blaming } from '../model/failure.ts'
import { arpProbe } from './arping.ts'

/**
 * Checks the addresses of all these steps concurrently, before any of them is assigned.
 *
 * An answer with the interface's own MAC comes from a virtual switch that knows its port. No answer is not proof: a switch that passes only
 * a port's own addresses drops the probe.
 *
 * @returns what could not be checked, and why; each once
 * @throws Failure ADDRESS_IN_USE that blames every interface whose address another host has
 */
export async function assertNoDuplicates(steps: readonly Step[]): Promise<string[]> {
	const probes = steps.flatMap(({ id, change }) => (change.kind === 'ask' ? change.ips.map(ip => ({ id, ip, ...change })) : []))
	const results = await Promise.all(probes.map(({ ip, name }) => arpProbe(ip, name)))
	const used = results.flatMap((result, at) => {
		const { id, ip, mac, name } = probes[at] ?? {}
		const isAnother = 'mac' in result && result.mac !== mac
		return isAnother && id !== undefined ? [{ id, message: `${result.mac} answers for ${ip} on ${name}` }] : []
	})
	if (used.length > 0) throw blaming('ADDRESS_IN_USE', used)
	return [
		...new Set(results.flatMap(result => ('notChecked' in result ? [`duplicate addresses are not checked: ${result.notChecked}`] : []))),
	]
}
