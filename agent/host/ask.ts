import { blaming } from '../failure.ts'
import type { Step } from '../plan/steps.ts'
import { holderOf } from './arp.ts'

/**
 * Asks for the addresses of all these steps at once, before any of them is given.
 *
 * Silence is no proof: a switch that lets only a port's own addresses through drops the question.
 *
 * @returns what could not be asked, and why; each once
 * @throws Failure ADDRESS_IN_USE that blames every interface for whose address somebody else answers
 */
export async function refuseUsed(steps: readonly Step[]): Promise<string[]> {
	const questions = steps.flatMap(({ id, change }) => (change.kind === 'ask' ? change.ips.map(ip => ({ id, ip, name: change.name })) : []))
	const holders = await Promise.all(questions.map(({ ip, name }) => holderOf(ip, name)))
	const used = holders.flatMap((holder, at) => {
		const { id, ip } = questions[at] ?? {}
		return 'mac' in holder && id !== undefined ? [{ id, message: `${holder.mac} answers for ${ip}` }] : []
	})
	if (used.length > 0) throw blaming('ADDRESS_IN_USE', used)
	return [...new Set(holders.flatMap(holder => ('unasked' in holder ? [`duplicates are not looked for: ${holder.unasked}`] : [])))]
}
