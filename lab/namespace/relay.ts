import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type NetConnectOpts, type Server, type Socket } from 'node:net'
import { pipeline } from 'node:stream'

/** Relays every connection; closes both sides when either closes. */
export interface Relay {
	/** TCP port it listens on; 0 on a unix socket. */
	readonly port: number
	close(): void
}

/** Where a relay listens: a path, or any free port of 127.0.0.1. */
export type Listen = { path: string } | { host: '127.0.0.1'; port: 0 }

/** Relays what arrives at one address to another: between network namespaces, if one of the two is a unix socket. */
export async function startRelay(listen: Listen, target: NetConnectOpts): Promise<Relay> {
	const open = new Set<Socket>()
	const server = createServer(incoming => {
		const outgoing = connect(target)
		for (const [from, to] of [
			[incoming, outgoing],
			[outgoing, incoming],
		] as const) {
			from.setNoDelay(true)
			open.add(from)
			from.once('close', () => open.delete(from))
			pipeline(from, to, () => {}) // the two ends handle a broken connection
		}
	})
	server.listen(listen)
	await once(server, 'listening')
	const close = () => {
		server.close()
		for (const socket of open) socket.destroy()
	}
	return { port: portOf(server), close }
}

function portOf(server: Server): number {
	const address = server.address() as AddressInfo | string | null
	return address === null || typeof address === 'string' ? 0 : address.port
}
