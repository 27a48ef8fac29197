import { blaming } from '../failure.ts'
import type { Step } from '../plan/steps.ts'
import { type Holder, holderOf } from './arp.ts'
import { limited } from './limited.ts'

/** Maximum number of probes at the same time, each a process that waits for two seconds. */
export const MOST_AT_ONCE = 256

/**
 * Checks the addresses of all these steps concurrently, before any of them is assigned; an address once on each link.
 *
 * An answer with the interface's own MAC comes from a virtual switch that knows its port. No answer is not proof: a switch that passes only
 * a port's own addresses drops the probe.
 *
 * @param ask sends the probes for an address on a link
 * @returns what could not be checked, and why; each once
 * @throws Failure ADDRESS_IN_USE that blames every interface whose address another host has
 */
export async function refuseUsed(steps: readonly Step[], ask: typeof holderOf = holderOf): Promise<string[]> {
	const questions = steps.flatMap(({ id, change }) => (change.kind === 'ask' ? change.ips.map(ip => ({ id, ip, ...change })) : []))
	const once = [...new Map(questions.map(question => [keyOf(question), question])).values()]
	const holders = await limited(once, MOST_AT_ONCE, ({ ip, name }) => ask(ip, name))
	const found = new Map(once.map((question, at) => [keyOf(question), holders[at]]))
	const used = questions.flatMap(({ id, ip, mac, name }) => {
		const holder = macOf(found.get(keyOf({ ip, name })))
		return holder !== undefined && holder !== mac && id !== undefined ? [{ id, message: `${holder} answers for ${ip} on ${name}` }] : []
	})
	if (used.length > 0) throw blaming('ADDRESS_IN_USE', used)
	return [...new Set(holders.flatMap(holder => ('unasked' in holder ? [`duplicate addresses are not checked: ${holder.unasked}`] : [])))]
}

function keyOf({ ip, name }: { ip: string; name: string }): string {
	return `${name} ${ip}`
}

function macOf(holder: Holder | undefined): string | undefined {
	return holder && 'mac' in holder ? holder.mac : undefined
}
