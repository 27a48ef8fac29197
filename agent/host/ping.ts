import { ifInstalled } from './optional-program.ts'

/** A packet of this size (`bytes`, including the IP header) to this address through this link; absent `source`: the kernel chooses it. */
export type Packet = { ip: string; device: string; bytes: number; source?: string }

/** Whether the packet was answered, the largest one that the path reports to carry, or why it was not sent. */
export type Echo = { answered: boolean; mtu?: number } | { unasked: string }

/** Header sizes of IPv6 with ICMPv6 and of IPv4 with ICMP (bytes). */
const HEADERS = { 6: 48, 4: 28 }

/**
 * Sends packets that must not be fragmented, all concurrently, and waits 1 s for each answer.
 *
 * @returns one echo per packet, in order
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
