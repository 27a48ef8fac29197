import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import type { Credentials } from '../../runtime/kube/kubeconfig/credentials.ts'

/** Responds to one request, usually incorrectly. */
export type Answer = (response: ServerResponse, request: IncomingMessage) => void

/** A server that reproduces on request the faults of a real API server. It stores no objects, so use it for nothing else. */
export type FaultServer = {
	credentials: Credentials
	/** Path and query of every request in the order of arrival. A watch is `watch from 7`, or `stream` if it requests initial events. */
	requests: string[]
	/** Number of connections opened so far. */
	connections(): number
	/** Sets the responses to the next requests, one for each. The last one repeats. */
	script(...answers: Answer[]): void
}

/** Starts a fault server on a free port of the loopback address. It stops when the test ends. */
export async function startFaultServer(): Promise<FaultServer> {
	let answers: Answer[] = []
	let connections = 0
	const requests: string[] = []
	const server = createServer((request, response) => {
		requests.push(told(request.url ?? ''))
		const answer = answers.length > 1 ? answers.shift() : answers[0]
		answer?.(response, request)
	})
	server.on('connection', () => connections++)
	await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
	onTestFinished(() => {
		server.closeAllConnections()
		server.close()
	})
	const { port } = server.address() as AddressInfo
	return {
		credentials: { server: `http://127.0.0.1:${port}`, tls: {}, headers: async () => ({}) },
		requests,
		connections: () => connections,
		script: (...next) => {
			answers = next
		},
	}
}

function told(url: string): string {
	const { pathname, searchParams } = new URL(url, 'http://x')
	if (searchParams.get('sendInitialEvents') === 'true') return 'watchlist'
	if (searchParams.get('watch') === 'true') return `watch from ${searchParams.get('resourceVersion')}`
	if (!pathname.endsWith('/configmaps')) return pathname
	return ['list', searchParams.get('limit') ?? 'whole', searchParams.get('continue') ?? ''].join(' ').trimEnd()
}

/** Responds with a list of objects, each given as `name@version`. */
export function list(version: string, objects: readonly string[], next?: string): Answer {
	return json(200, { metadata: { resourceVersion: version, ...(next && { continue: next }) }, items: objects.map(object) })
}

/** Responds with a list whose end is missing, then calls `then`. */
export function part(version: string, objects: readonly string[], then: (response: ServerResponse) => void): Answer {
	const whole = JSON.stringify({ metadata: { resourceVersion: version }, items: objects.map(object) })
	return response => {
		response.writeHead(200, { 'content-type': 'application/json' })
		response.write(whole.slice(0, -3), () => then(response))
	}
}

export function json(status: number, body: unknown, headers: Record<string, string> = {}): Answer {
	return response => {
		response.writeHead(status, { 'content-type': 'application/json', ...headers })
		response.end(JSON.stringify(body))
	}
}

/**
 * Responds with a watch that sends these events (`ADDED a@2`, `BOOKMARK @9`, `END @5` after the initial ones, `ERROR 410`), then calls
 * `then`.
 */
export function watch(events: readonly string[], then: (response: ServerResponse) => void): Answer {
	return response => {
		response.writeHead(200, { 'content-type': 'application/json' })
		response.flushHeaders()
		if (events.length === 0) return then(response)
		response.write(`${events.map(line).join('\n')}\n`, () => then(response))
	}
}

export const ends = (response: ServerResponse): void => void response.end()
export const breaks = (response: ServerResponse): void => void response.destroy()
export const saysNothing = (): void => {}

export function line(event: string): string {
	const [type, what = ''] = event.split(' ')
	if (type === 'END') return JSON.stringify({ type: 'BOOKMARK', object: endOfInitial(what.slice(1)) })
	return JSON.stringify({
		type,
		object: type === 'ERROR' ? { kind: 'Status', code: Number(what), message: 'scripted error' } : object(what),
	})
}

function endOfInitial(resourceVersion: string): object {
	return { metadata: { resourceVersion, annotations: { 'k8s.io/initial-events-end': 'true' } } }
}

function object(text: string): object {
	const [name, resourceVersion] = text.split('@')
	return { metadata: { name, resourceVersion, managedFields: [{}] } }
}
