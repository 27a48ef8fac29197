import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'

/** A server certificate that is its own authority; PEM. */
export type Certificate = { cert: string; key: string }

/** Creates a certificate for 127.0.0.1 in a folder. */
export function createCertificate(folder: string, name: string): Certificate {
	const [key, cert] = [join(folder, `${name}.key`), join(folder, `${name}.crt`)]
	const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1']
	const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key]
	execFileSync('openssl', ['req', '-x509', ...newKey, '-out', cert, ...subject], { stdio: 'ignore' })
	return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') }
}

/** A server in front of an API server whose certificate can be renewed. */
export type RenewingProxy = {
	server: string
	/** Uses another certificate for new connections, and ends each open one after its next response, as a server that restarts does. */
	renew(certificate: Certificate): void
	/** Tokens of the requests since the last call, without watches. */
	tokens(): string[]
	stop(): Promise<void>
}

export async function startRenewingProxy(api: { server: string; ca: string }, first: Certificate): Promise<RenewingProxy> {
	const tokens: string[] = []
	let isRenewed = false
	const forward = (incoming: IncomingMessage, outgoing: ServerResponse) => {
		const { method, url = '', headers } = incoming
		if (!url.includes('watch=true')) tokens.push(headers.authorization ?? '')
		const target = request(`${api.server}${url}`, { method, headers, ca: api.ca }, response => {
			outgoing.writeHead(response.statusCode ?? 502, { ...response.headers, ...(isRenewed && { connection: 'close' }) })
			response.pipe(outgoing)
		})
		target.on('error', () => outgoing.destroy())
		outgoing.on('close', () => target.destroy())
		incoming.pipe(target)
	}
	const server = createServer(first, forward)
	await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
	const { port } = server.address() as AddressInfo
	return {
		server: `https://127.0.0.1:${port}`,
		renew: certificate => {
			server.setSecureContext(certificate)
			isRenewed = true
		},
		tokens: () => tokens.splice(0),
		stop: async () => {
			server.closeAllConnections()
			await new Promise(resolve => server.close(resolve))
		},
	}
}
