import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * Returns a TCP port of loopback on which no process listens now. Another process may take it first: the caller must be ready to try again.
 */
export async function freePort(): Promise<number> {
	const server = createServer().listen(0, '127.0.0.1')
	await once(server, 'listening')
	const address = server.address()
	server.close()
	await once(server, 'close')
	if (!address || typeof address === 'string') throw new Error('no free port on 127.0.0.1')
	return address.port
}
