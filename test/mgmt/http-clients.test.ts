import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { certificate } from '../../bench/agent/certificate.ts'
import { createHttpClients } from '../../mgmt/http-clients.ts'
import type { HttpClient } from '../../runtime/http-client.ts'
import { createLog } from '../../runtime/log.ts'

function start() {
	const logged: string[] = []
	const http = createHttpClients(createLog('mgmt', { to: { write: line => void logged.push(line) } }))
	onTestFinished(() => http.close())
	return { http, logged }
}
const never = new AbortController().signal
const { cert: ca } = certificate(new Date(), 'first')

test('a call ends with its reconcile, regardless of its timeout', async () => {
	const heard = Promise.withResolvers<void>()
	const server = createServer(() => heard.resolve())
	await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
	onTestFinished(() => {
		server.closeAllConnections()
		server.close()
	})
	const stop = new AbortController()
	void heard.promise.then(() => stop.abort(new Error('not done within 120000 ms')))
	const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
	const call = start().http.during(stop.signal, clients => clients.for({ insecure: false }).call({ url, timeoutMs: 1e12 }))
	await expect(call).rejects.toMatchObject({ code: 'STOPPED', message: expect.stringMatching(/was canceled: not done within 120000 ms$/) })
})

test('connections are shared, except those with certificates of an OpenstackConfig, which are closed after the reconcile', async () => {
	const { http, logged } = start()
	const kept: HttpClient[] = []
	for (let n = 0; n < 2; n++)
		await http.during(never, async clients => void kept.push(clients.for({ insecure: false, ca }), clients.for({ insecure: true, ca })))
	const [own, unverified] = kept as [HttpClient, HttpClient]
	await expect(own.call({ url: 'http://127.0.0.1:1' })).rejects.toThrow(/destroyed/)
	await expect(unverified.call({ url: 'http://127.0.0.1:1' })).rejects.toThrow(/ECONNREFUSED/)
	expect(logged.filter(line => line.includes('certificates are not verified'))).toHaveLength(1)
})
