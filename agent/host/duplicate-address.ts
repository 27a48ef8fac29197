import type { Step } from '../model/change.ts'
import { blaming } from '../model/failure.ts'
import { holderOf } from './arping.ts'

/**
 * Checks the addresses of all these steps concurrently, before any of them is assigned.
 *
 * An answer with the interface's own MAC comes from a virtual switch that knows its port. No answer is not proof: a switch that passes only
 * a port's own addresses drops the probe.
 *
 * @returns what could not be checked, and why; each once
 * @throws Failure ADDRESS_IN_USE that blames every interface whose address another host has
 */
export async function refuseUsed(steps: readonly Step[]): Promise<string[]> {
	const questions = steps.flatMap(({ id, change }) => (change.kind === 'ask' ? change.ips.map(ip => ({ id, ip, ...change })) : []))
	const holders = await Promise.all(questions.map(({ ip, name }) => holderOf(ip, name)))
	const used = holders.flatMap((holder, at) => {
		const { id, ip, mac, name } = questions[at] ?? {}
		const isAnother = 'mac' in holder && holder.mac !== mac
		return isAnother && id !== undefined ? [{ id, message: `${holder.mac} answers for ${ip} on ${name}` }] : []
	})
	if (used.length > 0) throw blaming('ADDRESS_IN_USE', used)
	return [...new Set(holders.flatMap(holder => ('unasked' in holder ? [`duplicate addresses are not checked: ${holder.unasked}`] : [])))]
}
