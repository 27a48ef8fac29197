import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * Returns a free TCP port of 127.0.0.1. Another process may bind it before the caller does, so the caller must be ready to retry with
 * another port.
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
