import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A server on loopback that records everything that reaches it. */
export type Recorder = {
	url: string
	/** `127.0.0.1:port` */
	host: string
	/** Each complete request: method, path, headers and body. */
	heard: string[]
	/** Number of connections opened so far. */
	connections(): number
	/** Sets the response to later requests. */
	answer(by: Answer): void
	stop(): Promise<void>
}
export type Answer = (request: { method: string; path: string }, response: ServerResponse) => void

/** Starts a recorder on a free port. By default it acts as every system, and returns its own address for Keystone, Neutron and Nova. */
export async function startRecorder(sealedPassword: string): Promise<Recorder> {
	const heard: string[] = []
	let connections = 0
	let answer: Answer = (_, response) => response.end()
	const server = createServer(async (request, response) => {
		heard.push(await textOf(request))
		answer({ method: request.method ?? '', path: request.url ?? '' }, response)
	})
	server.on('connection', () => connections++)
	await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
	const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
	const url = `http://${host}`
	answer = everySystem(sealedPassword, url)
	return {
		url,
		host,
		heard,
		connections: () => connections,
		answer: by => {
			answer = by
		},
		stop: () =>
			new Promise(resolve => {
				server.close(() => resolve())
				server.closeAllConnections()
			}),
	}
}

/** Acts as viola, Contrabass, Keystone, Neutron and Nova. @param url the endpoint in Contrabass and in the catalog */
export function everySystem(sealedPassword: string, url: string): Answer {
	const attributes = { adminId: 'admin', adminPw: sealedPassword, domain: 'default' }
	const endpoints = [{ interface: 'public', region: 'One', region_id: 'One', url }]
	const token = { expires_at: '2099-01-01T00:00:00Z', catalog: ['network', 'compute'].map(type => ({ type, endpoints })) }
	return ({ path }, response) => {
		if (path.endsWith('/auth/tokens')) response.writeHead(201, { 'x-subject-token': 'a-token-of-keystone' })
		const body = path.includes('/provider') ? { data: { url, attributes } } : path.endsWith('/auth/tokens') ? { token } : emptyLists
		response.end(JSON.stringify(body))
	}
}

/** Redirects every request to another origin. */
export function redirectTo(url: string, status: number): Answer {
	return ({ path }, response) => response.writeHead(status, { location: `${url}${path}` }).end()
}

const emptyLists = { items: [], ports: [], subnets: [], networks: [], servers: [] }

async function textOf(request: IncomingMessage): Promise<string> {
	let body = ''
	for await (const chunk of request) body += chunk
	return [`${request.method} ${request.url}`, ...request.rawHeaders, body].join('\n')
}
