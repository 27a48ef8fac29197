import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** A TCP proxy whose connections can be made half-open: they stay open, and nothing passes any more. New connections are not affected. */
export type FreezingProxy = { port: number; freeze(): void }

/** Starts a proxy to a port of the loopback address. It stops when the test ends. */
export async function startFreezingProxy(to: number): Promise<FreezingProxy> {
	const pairs = new Set<[Socket, Socket]>()
	const server = createServer(near => {
		const far = connect(to, '127.0.0.1')
		pairs.add([near, far])
		near.pipe(far)
		far.pipe(near)
		const end = () => {
			near.destroy()
			far.destroy()
		}
		for (const socket of [near, far]) socket.on('error', end).on('close', end)
	})
	await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
	onTestFinished(() => {
		for (const pair of pairs) for (const socket of pair) socket.destroy()
		server.close()
	})
	return {
		port: (server.address() as AddressInfo).port,
		freeze() {
			for (const [near, far] of pairs) {
				near.unpipe(far).pause()
				far.unpipe(near).pause()
			}
		},
	}
}
