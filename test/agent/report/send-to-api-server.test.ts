import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { send } from '../../../agent/report/send-to-api-server.ts'

/** How a report is sent to an API server with given responses. */
let account: string
beforeAll(() => {
	account = mkdtempSync(join(tmpdir(), 'mn-send-'))
	const subject = ['-subj', '/CN=api', '-addext', 'subjectAltName=IP:127.0.0.1,IP:::1']
	const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', join(account, 'key.pem')]
	execFileSync('openssl', ['req', '-x509', ...key, '-out', join(account, 'ca.crt'), ...subject], { stdio: 'ignore' })
	writeFileSync(join(account, 'token'), 'a-token\n')
})
afterAll(() => rmSync(account, { recursive: true, force: true }))

type Answer = (response: ServerResponse, request: IncomingMessage) => void
const text = (status: number, body = ''): Answer => {
	return response => void response.writeHead(status).end(body)
}
const hangUp: Answer = (_, { socket }) => socket.destroy()
const raw = (line: string): Answer => {
	return (_, { socket }) => void socket.end(line)
}
/** A chunked response without an end. */
const endless = (status: number): Answer => {
	return response => {
		response.writeHead(status)
		response.write('x'.repeat(150))
		const more = () => response.write('y'.repeat(60_000), error => error ?? more())
		more()
	}
}

/** @param answers one response per request; further requests get the last one */
async function apiServer(answers: readonly Answer[], host = '127.0.0.1') {
	const heard: { url: string; headers: IncomingMessage['headers']; body: string }[] = []
	const tls = { key: readFileSync(join(account, 'key.pem')), cert: readFileSync(join(account, 'ca.crt')) }
	const server = createServer(tls, async (request, response) => {
		const chunks = await request.toArray()
		const { method, url, headers } = request
		heard.push({ url: `${method} ${url}`, headers, body: Buffer.concat(chunks).toString() })
		answers[Math.min(heard.length, answers.length) - 1]?.(response, request)
	})
	server.listen(0, host)
	await once(server, 'listening')
	onTestFinished(() => {
		server.closeAllConnections()
		server.close()
	})
	const { port } = server.address() as AddressInfo
	const report = (text: string, to = host) =>
		send(text, { namespace: 'multinic-system', configMap: 'a-run' }, { apiServer: { host: to, port }, serviceAccount: account })
	return { heard, port, report }
}

describe.each(['127.0.0.1', '::1'])('an API server at %s', host => {
	test('receives the report as a patch of one key', async () => {
		const { heard, port, report } = await apiServer([text(200, '{}')], host)
		await report('grüße')
		expect(heard).toEqual([
			{
				url: 'PATCH /api/v1/namespaces/multinic-system/configmaps/a-run?fieldManager=multinic-agent',
				headers: {
					host: `${host === '::1' ? '[::1]' : host}:${port}`,
					authorization: 'Bearer a-token',
					'content-type': 'application/merge-patch+json',
					'content-length': '34',
					connection: 'close',
				},
				body: '{"data":{"report.json":"grüße"}}',
			},
		])
	})
})

test('the token is read for each request', async () => {
	const renewed: Answer = response => {
		writeFileSync(join(account, 'token'), 'another-token')
		response.writeHead(503).end()
	}
	onTestFinished(() => writeFileSync(join(account, 'token'), 'a-token\n'))
	const { heard, report } = await apiServer([renewed, text(200)])
	await report('')
	expect(heard.map(({ headers }) => headers.authorization)).toEqual(['Bearer a-token', 'Bearer another-token'])
})

test.each<[title: string, answer: Answer]>([
	['a conflict', text(409)],
	['too many requests', text(429)],
	['a server error', text(500, 'etcd is unavailable')],
	['a closed connection', hangUp],
	['a response that is not HTTP', raw('SSH-2.0-x\r\n')],
])('%s is followed by another request', async (_, answer) => {
	const { heard, report } = await apiServer([answer, text(200)])
	await report('again')
	expect(heard.map(({ body }) => body)).toEqual(Array(2).fill('{"data":{"report.json":"again"}}'))
})

test.each<[title: string, answer: Answer, says: string]>([
	['a rejection', text(403, 'no'), 'the API server returned 403: no'],
	['a redirect', response => void response.writeHead(307, { location: '/elsewhere' }).end(), 'the API server returned 307: '],
	['a long rejection', text(422, 'z'.repeat(5_000)), `the API server returned 422: ${'z'.repeat(200)}`],
	['a rejection without end', endless(403), `the API server returned 403: ${'x'.repeat(150)}`],
	['a rejection that is cut off', raw('HTTP/1.1 403 Forbidden\r\ncontent-length: 9\r\n\r\nno'), 'the API server returned 403: no'],
])('%s is not followed by another request', async (_, answer, says) => {
	const { heard, report } = await apiServer([answer])
	await expect(report('')).rejects.toMatchObject({ code: 'API_REFUSED', message: says })
	expect(heard).toHaveLength(1)
})

test('a response with status 200 that does not end is a success', async () => {
	const { heard, report } = await apiServer([endless(200)])
	await report('')
	expect(heard).toHaveLength(1)
})

test.each<[title: string, answer: Answer, host: string | undefined, cause: RegExp]>([
	['that closes the connection', hangUp, undefined, /the API server closed the connection without a response$/],
	['with a certificate for another name', text(200), 'localhost', /altnames/],
	['that does not use HTTP', raw('SSH-2.0-x\r\n'), undefined, /without a response$/],
])('after a minute, an API server %s is reported with the cause', async (_, answer, host, cause) => {
	const { report } = await apiServer([answer])
	const clock = vi.spyOn(performance, 'now').mockReturnValueOnce(0).mockReturnValue(60_000)
	onTestFinished(() => clock.mockRestore())
	const message = expect.stringMatching(new RegExp(`^the API server could not be reached for a minute: .*${cause.source}`))
	await expect(report('', host)).rejects.toMatchObject({ code: 'API_REFUSED', message })
})
