import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A viola whose streams a test writes. */
export type EventServer = {
	url: string
	/** Waits for the next request. */
	next(): Promise<Request>
	stop(): Promise<void>
}

export type Request = {
	headers: IncomingMessage['headers']
	/** Sends an event; the first one begins the stream. */
	send(event: string, data: unknown, id?: string): void
	/** Ends the stream. */
	end(): void
	/** Cuts the connection. */
	cut(): void
	/** Answers with JSON instead of a stream. */
	answer(status: number, body: unknown, headers?: Record<string, string>): void
	/** Resolves when the client has closed the connection. */
	closed: Promise<void>
}

export async function startEventServer(): Promise<EventServer> {
	const waiting: ((request: Request) => void)[] = []
	const arrived: Request[] = []
	const server = createServer((incoming, response) => {
		const request = requestOf(incoming, response)
		const take = waiting.shift()
		if (take) take(request)
		else arrived.push(request)
	})
	await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
	return {
		url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
		next: () => {
			const request = arrived.shift()
			return request ? Promise.resolve(request) : new Promise(resolve => waiting.push(resolve))
		},
		stop: () =>
			new Promise(resolve => {
				server.close(() => resolve())
				server.closeAllConnections()
			}),
	}
}

function requestOf({ headers, socket }: IncomingMessage, response: ServerResponse): Request {
	return {
		headers,
		send(event, data, id) {
			if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream' })
			response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n${id === undefined ? '' : `id: ${id}\n`}\n`)
		},
		end: () => void response.end(),
		cut: () => void socket.destroy(),
		answer(status, body, more = {}) {
			response.writeHead(status, { 'content-type': 'application/json', ...more })
			response.end(JSON.stringify(body))
		},
		closed: new Promise(resolve => socket.once('close', () => resolve())),
	}
}
