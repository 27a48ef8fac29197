import { ifInstalled } from './optional-program.ts'

/**
 * An ICMP echo request of `bytes` bytes, including the IP header, to `ip` through `device`; without `source`, the kernel chooses its source
 * address.
 */
export type PingPacket = { ip: string; device: string; bytes: number; source?: string }

/** Whether the packet was answered, with the path MTU if one was reported, or why the packet was not sent. */
export type Echo = { answered: boolean; mtu?: number } | { notSent: string }

/** Combined size of the headers of IPv6 and ICMPv6, and of IPv4 and ICMP (bytes). */
const HEADERS = { 6: 48, 4: 28 }

/**
 * Sends all packets concurrently, without fragmentation, and waits up to 1 s for each answer.
 *
 * @returns one echo per packet, in order
 * @see ping(8) of iputils
 */
export function echoes(packets: readonly PingPacket[]): Promise<Echo[]> {
	return Promise.all(packets.map(echo))
}

async function echo({ ip, device, bytes, source }: PingPacket): Promise<Echo> {
	const data = Math.max(0, bytes - HEADERS[ip.includes(':') ? 6 : 4])
	const from = source === undefined ? [] : ['-I', source]
	const answer = await ifInstalled('ping', ['-n', '-M', 'do', '-s', String(data), '-c', '1', '-W', '1', '-I', device, ...from, ip])
	if (!answer) return { notSent: 'ping is not installed' }
	const { code, stdout, stderr } = answer
	if (code !== 0 && !stdout.startsWith('PING ')) return { notSent: stderr.trim().split('\n')[0] || `ping ended with ${code}` }
	const mtu = /\bmtu ?[=:] ?(\d+)/i.exec(stdout + stderr)?.[1]
	return { answered: code === 0, ...(mtu !== undefined && { mtu: Number(mtu) }) }
}
