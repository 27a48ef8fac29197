import { once } from 'node:events'
import { createServer, request } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'

type Method = (...args: never[]) => Promise<unknown>

/** Serves method calls on a Unix socket. Arguments and results are sent as JSON, an error as its message. */
export async function serve<M extends Record<keyof M, Method>>(socket: string, methods: M): Promise<void> {
	const server = createServer(async (request, answer) => {
		try {
			const name = (request.url ?? '').slice(1)
			if (!Object.hasOwn(methods, name)) throw new Error(`no method ${name}`)
			const result = await methods[name as keyof M](...(JSON.parse(await text(request)) as never[]))
			answer.end(JSON.stringify({ result }))
		} catch (error) {
			answer.statusCode = 500
			answer.end(JSON.stringify({ error: error instanceof Error ? error.message : String(error) }))
		}
	})
	server.requestTimeout = 0 // no time limit: a call may boot a node
	server.listen(socket)
	await once(server, 'listening')
}

/** Reports whether the socket accepts calls. The file alone proves nothing: it exists a moment before the server listens. */
export async function isServed(socket: string): Promise<boolean> {
	const connection = connect(socket)
	try {
		await once(connection, 'connect')
		return true
	} catch {
		return false
	} finally {
		connection.destroy()
	}
}

/** Returns a client for the methods served at this socket. A call that fails throws an error with the server's message. */
export function rpcClient<M extends Record<keyof M, Method>>(socket: string): M {
	return new Proxy({} as M, {
		get:
			(_, method) =>
			(...args: unknown[]) =>
				call(socket, String(method), args),
	})
}

async function call(socketPath: string, method: string, args: unknown[]): Promise<unknown> {
	const outgoing = request({ socketPath, path: `/${method}`, method: 'POST' })
	outgoing.end(JSON.stringify(args))
	const [answer] = await once(outgoing, 'response')
	const { result, error } = JSON.parse(await text(answer)) as { result?: unknown; error?: string }
	if (error !== undefined) throw new Error(error)
	return result
}
