import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { pipeline } from 'node:stream'

/** A connection to the API server on which the faults of real networks can be simulated. */
export type Line = {
	readonly port: number
	/** Closes every connection and accepts no new one until `mend`. */
	cut(): void
	mend(): void
	/** Open connections stay open but carry no more data, as behind a firewall that has lost its connection state. New connections work. */
	forget(): void
	/** If `isSlow`, data from the server arrives byte by byte from now on. */
	trickle(isSlow: boolean): void
	/** Number of bytes received from the server so far. */
	readonly carried: number
	close(): void
}

type Connection = { ends: readonly [Socket, Socket]; isForgotten: boolean }

/** Listens on a free port of 127.0.0.1 and forwards to `port` on the same address. */
export async function startLine(port: number): Promise<Line> {
	const open = new Set<Connection>()
	let [isCut, isSlow, carried] = [false, false, 0]
	const server = createServer(incoming => {
		if (isCut) return void incoming.destroy()
		const outgoing = connect({ host: '127.0.0.1', port })
		const connection: Connection = { ends: [incoming, outgoing], isForgotten: false }
		open.add(connection)
		incoming.once('close', () => open.delete(connection))
		for (const end of connection.ends) end.setNoDelay(true).on('error', () => {})
		pipeline(incoming, held(connection), outgoing, () => {})
		pipeline(outgoing, held(connection), incoming, () => {})
	})
	/** Forwards data according to the faults that are active at that moment. */
	const held = (connection: Connection) =>
		async function* (source: AsyncIterable<Buffer>) {
			for await (const chunk of source) {
				if (connection.isForgotten) await new Promise(() => {})
				yield* isSlow ? bytesOf(chunk) : [chunk]
				carried += chunk.length
			}
		}
	server.listen(0, '127.0.0.1')
	await once(server, 'listening')
	const endAll = () => {
		for (const { ends } of open) for (const end of ends) end.destroy()
	}
	return {
		port: (server.address() as AddressInfo).port,
		cut: () => {
			isCut = true
			endAll()
		},
		mend: () => {
			isCut = false
		},
		forget: () => {
			for (const connection of open) connection.isForgotten = true
		},
		trickle: slow => {
			isSlow = slow
		},
		get carried() {
			return carried
		},
		close: () => {
			server.close()
			endAll()
		},
	}
}

async function* bytesOf(chunk: Buffer) {
	for (const [index] of chunk.entries()) {
		yield chunk.subarray(index, index + 1)
		await turn()
	}
}
