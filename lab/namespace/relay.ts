import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type NetConnectOpts, type Server, type Socket } from 'node:net'
import { pipeline } from 'node:stream'

/** Relays connections. When one side of a connection closes, the other is closed too. */
export interface Relay {
	/** TCP port on which the relay listens; 0 for a Unix socket. */
	readonly port: number
	close(): void
}

/** Where a relay listens: at a Unix socket path, or at a port. With port 0, a free port is chosen. */
export type Listen = { path: string } | { host: string; port: number }

/** Relays connections from one address to another. If one of the two is a Unix socket, this works across network namespaces. */
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
			pipeline(from, to, () => {}) // both ends handle a broken connection themselves
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
