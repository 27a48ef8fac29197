import type { FastifyInstance } from 'fastify'
import { onTestFinished } from 'vitest'
import { listen } from '../../runtime/http-server.ts'

/** Listens on a free port of the loopback device until the test has finished. @returns the address */
export async function serve(app: FastifyInstance): Promise<string> {
	const end = new AbortController()
	const { address, closed } = await listen(app, { host: '127.0.0.1', port: 0 }, end.signal)
	onTestFinished(async () => {
		end.abort()
		await closed
	})
	return address
}
