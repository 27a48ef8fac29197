import { expect, onTestFinished, test } from 'vitest'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createGrantedClient } from '../../../mgmt/disclosure/client.ts'
import { createSecret, grantOf } from '../../../mgmt/disclosure/decide.ts'
import { chosenEndpoint } from '../../../mgmt/model/origin.ts'
import { createHttpClient } from '../../../runtime/http-client.ts'
import { readEvents } from '../../../runtime/event-stream.ts'

test('a stream sends the secret to the granted endpoint only, and a failure does not contain it', async () => {
	const sent: (string | undefined)[] = []
	const server = createServer(({ url, headers }, response) => {
		sent.push(`${url} ${headers.authorization}`)
		if (url === '/redirect') response.writeHead(302, { location: 'http://127.0.0.1:1/?a-secret-token' }).end('a-secret-token')
		else response.writeHead(200, { 'content-type': 'text/event-stream' }).end('data: 1\n\n')
	})
	await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
	const http = createHttpClient()
	onTestFinished(async () => {
		await http.close()
		server.close()
	})
	const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
	const endpoint = chosenEndpoint([], ['VIOLA_ENDPOINT', url]) ?? expect.unreachable()
	const { stream } = createGrantedClient(http, grantOf(createSecret('viola token', endpoint, 'a-secret-token'), endpoint, []))
	const headers = (token: string) => ({ authorization: `Bearer ${token}` })
	for await (const { data } of readEvents(stream({ path: '/events', headers }))) expect(data).toBe('1')
	const failure = await readEvents(stream({ path: '/redirect', headers }))
		.next()
		.catch(error => error)
	expect(failure).toMatchObject({ code: 'REFUSED' })
	expect(JSON.stringify([failure, failure.message])).not.toContain('a-secret-token')
	expect(sent).toEqual(['/events Bearer a-secret-token', '/redirect Bearer a-secret-token'])
})
