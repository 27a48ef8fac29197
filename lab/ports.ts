import { once } from 'node:events'
import { createServer } from 'node:net'

/** A TCP port of loopback that nobody listens on now. Somebody may take it before its user does: be ready to try again. */
export async function freePort(): Promise<number> {
	const server = createServer().listen(0, '127.0.0.1')
	await once(server, 'listening')
	const address = server.address()
	server.close()
	await once(server, 'close')
	if (!address || typeof address === 'string') throw new Error('no free port on 127.0.0.1')
	return address.port
}
