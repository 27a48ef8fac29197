import { once } from 'node:events'
import { createServer, request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { REPORT_KEY } from '../../contract/names.ts'
import { certificate } from './certificate.ts'

/**
 * Accepts reports over TLS as the API server does, on 127.0.0.1 of its network namespace. Sends its port and certificate to the parent
 * process, then each report.
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
		if (data[REPORT_KEY] !== undefined) process.send?.(data)
	})
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const { port } = server.address() as AddressInfo
for (let times = 0; times < 20; times++) await warmUp()
process.send?.({ port, ca: cert } satisfies Listens)

/** Warms up the server, because the API server of a real cluster has already handled reports. */
async function warmUp(): Promise<void> {
	const call = request({ host: '127.0.0.1', port, method: 'PATCH', ca: cert, agent: false })
	call.end('{"data":{}}')
	const [answer] = await once(call, 'response')
	await once(answer.resume(), 'end')
}
