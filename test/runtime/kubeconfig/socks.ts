import { connect, createServer, type Server, type Socket } from 'node:net'

/**
 * Creates a SOCKS5 proxy (RFC 1928) without passwords that connects to the same target for any requested host.
 *
 * @param began called with the local port of each connection to the target
 */
export function socksServer(target: () => number, began: (port: number | undefined) => void): Server {
	return createServer(client => {
		client.on('error', () => client.destroy())
		client.once('data', () => {
			client.write(Buffer.of(5, 0)) // no authentication required
			client.once('data', () => lead(client, connect(target(), '127.0.0.1'), began))
		})
	})
}

function lead(client: Socket, upstream: Socket, began: (port: number | undefined) => void): void {
	upstream.on('error', () => client.destroy())
	client.on('close', () => upstream.destroy())
	upstream.on('connect', () => {
		began(upstream.localPort)
		client.write(Buffer.of(5, 0, 0, 1, 127, 0, 0, 1, 0, 0)) // succeeded
		upstream.pipe(client).pipe(upstream)
	})
}
