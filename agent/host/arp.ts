import type { Answer } from './exec.ts'
import { ifInstalled } from './installed.ts'

/** Who else has an address: nobody, somebody, or why nobody was asked. */
export type Holder = { mac?: string } | { unasked: string }

/** Two questions, a second apart: a link that has just come up may lose the first. */
export const QUESTIONS = ['-c', '2', '-w', '2']

/**
 * Asks the wire who has an IPv4 address, in nobody's name (an ARP probe, RFC 5227), so that whoever has it answers whatever he makes of
 * the sender, and nobody takes the question for an announcement. Ends with the first answer; silence takes 2 s. The link must be up.
 *
 * @see arping(8) of iputils
 */
export async function holderOf(ip: string, link: string): Promise<Holder> {
	const answer = await ifInstalled('arping', ['-D', ...QUESTIONS, '-I', link, ip])
	return answer ? heard(answer) : { unasked: 'there is no arping' }
}

/** @returns what arping has heard; its exit status tells of an answer (1), of silence (0) and of what it could not do */
export function heard({ code, stdout, stderr }: Answer): Holder {
	const mac = /^\w+ \w+ from \S+ \[([\da-f:]{17})\]/im.exec(stdout)?.[1]
	const asked = /^ARPING \S+ from 0\.0\.0\.0\b/m.test(stdout)
	if (asked && mac !== undefined) return { mac: mac.toLowerCase() }
	if (asked && code === 0) return {}
	const [words = ''] = (stderr || stdout).trim().split('\n')
	return { unasked: words || `arping ended with ${code}` }
}
