import { createServer as createPlainServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import { type AddressInfo, connect, type Server as NetServer } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { certificate } from '../../../bench/agent/certificate.ts'
import { socksServer } from './socks.ts'

/** What the server records of one request: its target and its user. */
export type Seen = {
	/** The path. Its first segment names the cluster of the kubeconfig. */
	path: string
	authorization?: string
	/** The common name of the client certificate. */
	certificate?: string
	/** The impersonation headers. */
	acting?: Record<string, string>
	/** The request came through the proxy. */
	proxied?: true
	/** The request came without TLS. */
	plain?: true
}

export type Recorder = {
	seen: Seen[]
	/** The CA of the server's certificate, in PEM format. */
	ca: string
	/** `127.0.0.1:port` of each server and proxy. */
	places: { tls: string; plain: string; proxy: string; socks: string }
	stop(): Promise<void>
}

/**
 * Starts an API server that records the user of each request, with and without TLS, and proxies that connect to it for any requested host.
 */
export async function startRecorder(): Promise<Recorder> {
	const seen: Seen[] = []
	const fromProxy = new Set<number | undefined>()
	const identity = certificate(new Date(), 'recorder')
	const answer = (request: IncomingMessage, response: ServerResponse) => {
		seen.push(noted(request, fromProxy))
		response.setHeader('content-type', 'application/json').end('{"major":"1"}')
	}
	const tls = createServer({ ...identity, requestCert: true, rejectUnauthorized: false }, answer)
	const plain = createPlainServer(answer)
	const proxy = createPlainServer().on('connect', (_, client, head) => {
		const upstream = connect((tls.address() as AddressInfo).port, '127.0.0.1', () => {
			fromProxy.add(upstream.localPort)
			client.write('HTTP/1.1 200 OK\r\n\r\n')
			upstream.write(head)
			upstream.pipe(client).pipe(upstream)
		})
		for (const socket of [client, upstream]) socket.on('error', () => socket.destroy())
		client.on('close', () => upstream.destroy())
	})
	const socks = socksServer(
		() => (tls.address() as AddressInfo).port,
		port => fromProxy.add(port),
	)
	const places = { tls: await listen(tls), plain: await listen(plain), proxy: await listen(proxy), socks: await listen(socks) }
	const stop = async () => {
		for (const server of [proxy, tls, plain]) {
			server.closeAllConnections()
			await new Promise(resolve => server.close(resolve))
		}
		await new Promise(resolve => socks.close(resolve))
	}
	return { seen, ca: identity.cert, places, stop }
}

async function listen(server: NetServer): Promise<string> {
	await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
	return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

function noted({ url = '', headers, socket }: IncomingMessage, fromProxy: ReadonlySet<number | undefined>): Seen {
	const name = 'encrypted' in socket ? (socket as TLSSocket).getPeerCertificate().subject?.CN : undefined
	const acting = Object.entries(headers).filter(([header]) => header.startsWith('impersonate-'))
	return {
		path: url,
		...(headers.authorization !== undefined && { authorization: headers.authorization }),
		...(name !== undefined && { certificate: String(name) }),
		...(acting.length > 0 && { acting: Object.fromEntries(acting.map(([header, value]) => [header, String(value)])) }),
		...(fromProxy.has(socket.remotePort) && { proxied: true as const }),
		...(!('encrypted' in socket) && { plain: true as const }),
	}
}
