import { ifInstalled } from './installed.ts'

/** A packet of so many bytes, IP header and all, for this address out of this link; absent `source`: the kernel chooses it. */
export type Packet = { ip: string; device: string; bytes: number; source?: string }

/** Whether the packet was answered, the largest one that the path is said to carry, or why it was not sent. */
export type Echo = { answered: boolean; mtu?: number } | { unasked: string }

/** Of IPv6 and ICMPv6, of IPv4 and ICMP (bytes). */
const HEADERS = { 6: 48, 4: 28 }

/**
 * Sends packets that nobody may fragment, all at once, and waits 1 s for each to be answered.
 *
 * @returns one echo a packet, in their order
 * @see ping(8) of iputils
 */
export function echoes(packets: readonly Packet[]): Promise<Echo[]> {
	return Promise.all(packets.map(echo))
}

async function echo({ ip, device, bytes, source }: Packet): Promise<Echo> {
	const data = Math.max(0, bytes - HEADERS[ip.includes(':') ? 6 : 4])
	const from = source === undefined ? [] : ['-I', source]
	const answer = await ifInstalled('ping', ['-n', '-M', 'do', '-s', String(data), '-c', '1', '-W', '1', '-I', device, ...from, ip])
	if (!answer) return { unasked: 'there is no ping' }
	const { code, stdout, stderr } = answer
	if (code !== 0 && !stdout.startsWith('PING ')) return { unasked: stderr.trim().split('\n')[0] || `ping ended with ${code}` }
	const mtu = /\bmtu ?[=:] ?(\d+)/i.exec(stdout + stderr)?.[1]
	return { answered: code === 0, ...(mtu !== undefined && { mtu: Number(mtu) }) }
}
