import { createPrivateKey, randomUUID, X509Certificate } from 'node:crypto'
import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { createSecureContext } from 'node:tls'
import * as z from 'zod'
import { codeOf } from './errors.ts'
import type { Log } from './log.ts'
import { type FileSource, sourceIn, watchFiles } from './watched-file.ts'

/** A certificate chain and its private key, as PEM. */
export type CertificatePair = { readonly cert: string; readonly key: string }

/** The path of a directory with `tls.crt` and `tls.key`, as cert-manager writes them to a Secret. */
export const TlsDirectory = z
	.string()
	.transform(
		(folder, context): FileSource<CertificatePair> =>
			sourceIn(context, [join(folder, 'tls.crt'), join(folder, 'tls.key')], (cert = '', key = '') => checkPair({ cert, key })),
	)

/**
 * Limits for connections, so that clients that send slowly or keep many connections open cannot block other clients. A request must arrive
 * within `headersMs` and `requestMs`; a connection may be idle for `idleMs` between two requests.
 */
const limits = {
	headersMs: 10_000,
	requestMs: 30_000,
	checkMs: 2_000,
	idleMs: 72_000,
	connections: 8_192,
	perSource: 512,
}

const options: ServerOptions = {
	headersTimeout: limits.headersMs,
	requestTimeout: limits.requestMs,
	connectionsCheckingInterval: limits.checkMs,
	keepAliveTimeout: limits.idleMs,
}

export type SocketOptions = {
	log: Log
	/** Without it, the server uses plain HTTP. */
	tls?: FileSource<CertificatePair>
	/** Ends the watch of the certificate. */
	signal: AbortSignal
}

/** Creates the server. A renewed certificate is used for new connections; existing connections continue with the one they have. */
export function createSocketServer(handler: RequestListener, { tls, log, signal }: SocketOptions): Server | TlsServer {
	if (!tls) return limited(createServer(options, handler))
	const server = createTlsServer({ ...options, handshakeTimeout: limits.headersMs, ...tls.first }, handler)
	watchFiles(tls, { log, signal, onChange: pair => server.setSecureContext(pair) })
	return limited(server)
}

/** Limits the number of connections, in total and per remote address. */
function limited<T extends Server | TlsServer>(server: T): T {
	const counts = new Map<string, number>()
	server.maxConnections = limits.connections
	server.on('connection', (socket: Socket) => {
		const source = socket.remoteAddress ?? ''
		const count = (counts.get(source) ?? 0) + 1
		if (count > limits.perSource) return void socket.destroy()
		counts.set(source, count)
		socket.once('close', () => {
			const left = (counts.get(source) ?? 1) - 1
			if (left === 0) counts.delete(source)
			else counts.set(source, left)
		})
	})
	return server
}

/**
 * Checks that the files contain a certificate and its private key.
 *
 * @throws Error that names what is wrong, and does not contain the key
 */
function checkPair(pair: CertificatePair): CertificatePair {
	const certificate = part('tls.crt is not a certificate in PEM', () => new X509Certificate(pair.cert))
	const key = part('tls.key is not a private key in PEM', () => createPrivateKey(pair.key))
	if (!certificate.checkPrivateKey(key)) throw new Error('tls.key is not the key of tls.crt')
	part('tls.crt or tls.key cannot be used', () => createSecureContext(pair))
	return pair
}

function part<T>(fault: string, read: () => T): T {
	try {
		return read()
	} catch {
		throw new Error(fault)
	}
}

/** Responds to a request that is not valid HTTP or did not arrive in time, and closes the connection. */
export function answerInvalidHttp(error: Error, socket: Duplex): void {
	// A client that has not taken the response to its previous request would not take this one either
	if (codeOf(error) === 'ECONNRESET' || !socket.writable || socket.writableLength > 0) return void socket.destroy(error)
	const [status, message] = invalidHttp[codeOf(error)] ?? ['400 Bad Request', 'the request is not valid HTTP']
	const requestId = randomUUID()
	const body = JSON.stringify({ error: { code: 'BAD_REQUEST', message, requestId } })
	const type = ['Content-Type: application/json; charset=utf-8', `Content-Length: ${Buffer.byteLength(body)}`]
	const head = [`HTTP/1.1 ${status}`, `X-Request-Id: ${requestId}`, ...type, 'Connection: close']
	socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
}

const invalidHttp: Readonly<Record<string, [status: string, message: string]>> = {
	ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'the request did not arrive in time'],
	HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'the headers are too large'],
	HPE_CHUNK_EXTENSIONS_OVERFLOW: ['413 Payload Too Large', 'the chunk extensions are too large'],
}
