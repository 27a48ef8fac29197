import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { certificate } from './certificate.ts'

/**
 * Takes reports over TLS as the API server does, on 127.0.0.1 of the namespace it is started in; tells by messages where it listens, then
 * each report.
 */
export type Listens = { port: number; ca: string }

const { key, cert } = certificate()
const server = createServer({ key, cert }, (request, response) => {
	const chunks: Buffer[] = []
	request.on('data', (chunk: Buffer) => chunks.push(chunk))
	request.on('end', () => {
		const { data } = JSON.parse(Buffer.concat(chunks).toString()) as { data: Record<string, string> }
		response.setHeader('content-type', 'application/json')
		response.end(JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', data }))
		process.send?.(data)
	})
})
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port, ca: cert } satisfies Listens))
