import { blaming } from '../failure.ts'
import type { Step } from '../plan/steps.ts'
import { holderOf } from './arp.ts'

/**
 * Asks for the addresses of all these steps at once, before any of them is given.
 *
 * An answer in the name of the asking interface's own MAC is that of a virtual switch that knows its port. Silence is no proof: a switch that
 * lets only a port's own addresses through drops the question.
 *
 * @returns what could not be asked, and why; each once
 * @throws Failure ADDRESS_IN_USE that blames every interface for whose address somebody else answers
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
