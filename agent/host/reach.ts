import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import { exec } from './exec.ts'

/** @returns whether a TCP connection comes about within 2 s; on any error it does not */
export function tcpAnswers(host: string, port: number): Promise<boolean> {
	return new Promise(resolve => {
		const socket = connect({ host, port, timeout: 2_000 })
		const end = (ok: boolean) => {
			socket.destroy()
			resolve(ok)
		}
		socket.once('connect', () => end(true))
		socket.once('timeout', () => end(false))
		socket.once('error', () => end(false))
	})
}

/**
 * A datagram to the discard port makes the kernel look for a neighbour; whether it was found stands in the neighbour table.
 *
 * @param link ifindex
 */
export async function neighbourAnswers(ip: string, link: number): Promise<boolean> {
	await poke(ip, link)
	const { stdout } = await exec('ip', ['-j', 'neigh', 'show', ip, 'dev', `if${link}`])
	return /"lladdr"/.test(stdout) && !/"(FAILED|INCOMPLETE)"/.test(stdout)
}

function poke(ip: string, link: number): Promise<void> {
	return new Promise(resolve => {
		const socket = createSocket(ip.includes(':') ? 'udp6' : 'udp4')
		socket.on('error', () => {}) // The callback tells as well; what counts is the neighbour table.
		socket.send('', 9, ip.startsWith('fe80:') ? `${ip}%${link}` : ip, () => {
			socket.close()
			setTimeout(resolve, 20)
		})
	})
}
