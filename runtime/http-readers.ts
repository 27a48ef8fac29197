import type { Socket } from 'node:net'
import type { FastifyInstance, FastifyReply } from 'fastify'

/**
 * Limits the memory that responses take which their readers have not taken yet. A reader that takes no data for `stallMs` is disconnected.
 * A connection has one response at a time: requests that a client sends before it has the previous response wait for it.
 */
export function limitReaders(app: FastifyInstance, stallMs: number): void {
	const ends = new WeakMap<Socket, Promise<void>>()
	app.addHook('onRequest', async ({ raw: { socket } }, { raw }) => {
		const previous = ends.get(socket)
		const { promise, resolve } = Promise.withResolvers<void>()
		ends.set(socket, promise)
		raw.once('close', resolve)
		await previous
	})
	app.addHook('onSend', async (_, reply) => dropIfStalled(reply, stallMs))
}

function dropIfStalled({ raw }: FastifyReply, stallMs: number): void {
	raw.setTimeout(stallMs, () => raw.destroy())
}
