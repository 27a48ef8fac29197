import type { Answer } from './exec.ts'
import { ifInstalled } from './optional-program.ts'

/** Which other host has an address: no host, one with this MAC, or why it was not checked. */
export type Holder = { mac?: string } | { unasked: string }

/** Two probes, one second apart, because a link that has just come up may lose the first. */
export const QUESTIONS = ['-c', '2', '-w', '2']

/**
 * Checks with ARP probes (RFC 5227) which host has an IPv4 address. A probe has no sender address, so a host that has the address answers
 * whatever it thinks of the sender, and no host takes the probe for an announcement. Returns on the first answer; without one after 2 s.
 * The link must be up.
 *
 * @see arping(8) of iputils
 */
export async function holderOf(ip: string, link: string): Promise<Holder> {
	const answer = await ifInstalled('arping', ['-D', ...QUESTIONS, '-I', link, ip])
	return answer ? heard(answer) : { unasked: 'there is no arping' }
}

/** @returns what arping found; its exit status distinguishes an answer (1), no answer (0) and what it could not do */
export function heard({ code, stdout, stderr }: Answer): Holder {
	const mac = /^\w+ \w+ from \S+ \[([\da-f:]{17})\]/im.exec(stdout)?.[1]
	const asked = /^ARPING \S+ from 0\.0\.0\.0\b/m.test(stdout)
	if (asked && mac !== undefined) return { mac: mac.toLowerCase() }
	if (asked && code === 0) return {}
	const [words = ''] = (stderr || stdout).trim().split('\n')
	return { unasked: words || `arping ended with ${code}` }
}
