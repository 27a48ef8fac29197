import type { ProgramOutput } from './exec.ts'
import { ifInstalled } from './optional-program.ts'

/** Result of a probe: the MAC of the host that has the address, no MAC if no host answered, or why the address was not checked. */
export type ArpResult = { mac?: string } | { notChecked: string }

/** Two probes, one second apart, because a link that has just come up may drop the first. */
export const ARPING_ARGS = ['-c', '2', '-w', '2']

/**
 * Checks with ARP probes (RFC 5227) which host has an IPv4 address. The sender address of a probe is 0.0.0.0, so a host that has the
 * address answers regardless of the sender, and no host mistakes the probe for an announcement. Returns on the first answer, or after 2 s.
 * The link must be up.
 *
 * @see arping(8) of iputils
 */
export async function arpProbe(ip: string, link: string): Promise<ArpResult> {
	const answer = await ifInstalled('arping', ['-D', ...ARPING_ARGS, '-I', link, ip])
	return answer ? parseArping(answer) : { notChecked: 'arping is not installed' }
}

/** @returns the result of arping; its exit status distinguishes an answer (1), no answer (0) and an error */
export function parseArping({ code, stdout, stderr }: ProgramOutput): ArpResult {
	const mac = /^\w+ \w+ from \S+ \[([\da-f:]{17})\]/im.exec(stdout)?.[1]
	const isProbe = /^ARPING \S+ from 0\.0\.0\.0\b/m.test(stdout)
	if (isProbe && mac !== undefined) return { mac: mac.toLowerCase() }
	if (isProbe && code === 0) return {}
	const [words = ''] = (stderr || stdout).trim().split('\n')
	return { notChecked: words || `arping ended with ${code}` }
}
