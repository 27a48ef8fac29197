import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RunConfig } from '../../contract/agent-run.ts'
import { AGENT_MANAGER, REPORT_KEY } from '../../contract/names.ts'
import { wordsOf } from '../../runtime/errors.ts'
import { failure, isFailure } from '../model/failure.ts'

export type ApiServer = { host: string; port: number }

/** The change may interrupt the connection to the API server for a moment, so requests are retried for this long (milliseconds). */
const PATIENCE = 60_000

/**
 * Patches the report into the only key of the only ConfigMap that this run may write.
 *
 * @param serviceAccount directory with `token` and `ca.crt`
 * @throws Failure API_REFUSED when the API server rejects the request, or cannot be reached within a minute
 */
export async function send(
	text: string,
	{ namespace, configMap }: RunConfig['report'],
	{ apiServer, serviceAccount }: { apiServer: ApiServer; serviceAccount: string },
): Promise<void> {
	const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/configmaps/${encodeURIComponent(configMap)}?fieldManager=${AGENT_MANAGER}`
	const body = JSON.stringify({ data: { [REPORT_KEY]: text } })
	const end = performance.now() + PATIENCE
	for (let delay = 250; ; delay = Math.min(delay * 2, 5_000)) {
		try {
			return await patch(path, body, { apiServer, serviceAccount })
		} catch (error) {
			if (isFailure(error)) throw error
			if (performance.now() + delay > end)
				throw failure('API_REFUSED', `the API server could not be reached for a minute: ${wordsOf(error)}`, { cause: error })
			await sleep(delay)
		}
	}
}

/** Implements only as much of HTTP as one request needs. docs/decisions/0027 explains why node:https is not used. */
async function patch(path: string, body: string, { apiServer, serviceAccount }: Access): Promise<void> {
	const { host, port } = apiServer
	const head = [
		`PATCH ${path} HTTP/1.1`,
		`host: ${isIP(host) === 6 ? `[${host}]` : host}:${port}`,
		`authorization: Bearer ${readFileSync(`${serviceAccount}/token`, 'utf8').trim()}`,
		'content-type: application/merge-patch+json',
		`content-length: ${Buffer.byteLength(body)}`,
		'connection: close',
	]
	const answer = await exchange(`${head.join('\r\n')}\r\n\r\n${body}`, { apiServer, serviceAccount })
	const [, status, text = ''] = /^HTTP\/1\.\d (\d{3}).*?\r\n\r\n(.*)$/s.exec(answer) ?? []
	if (status === undefined) throw new Error('the API server closed the connection without a response')
	// In a chunked body, a line with its length precedes each chunk. The first chunk is longer than the text that is reported.
	settle(Number(status), /^transfer-encoding: *chunked/im.test(answer) ? (text.split('\r\n')[1] ?? '') : text)
}

type Access = { apiServer: ApiServer; serviceAccount: string }

/** Maximum length of a response that is read. The head and the text that is reported are far shorter. */
const MAX_RESPONSE = 65_536

/**
 * Sends a request. Loads TLS on demand, so that a run that reports to a file does not have that overhead.
 *
 * @returns what the server sends until it closes the connection, at most about 64 KiB
 */
async function exchange(request: string, { apiServer: { host, port }, serviceAccount }: Access): Promise<string> {
	const { connect } = await import('node:tls')
	const ca = readFileSync(`${serviceAccount}/ca.crt`)
	return new Promise((resolve, reject) => {
		let said = ''
		const socket = connect({ host, port, ca, timeout: 10_000, ...(isIP(host) === 0 && { servername: host }) })
		socket.setEncoding('utf8').on('data', text => {
			said += text
			if (said.length > MAX_RESPONSE) socket.destroy()
		})
		socket.on('timeout', () => socket.destroy(new Error('no response within 10 s')))
		socket.on('error', reject)
		socket.on('close', () => resolve(said))
		socket.write(request)
	})
}

/** A conflict, rate limiting or a server error may be temporary; any other rejection is final. */
function settle(status: number, text: string): void {
	if (status >= 200 && status < 300) return
	const words = `the API server returned ${status}: ${text.slice(0, 200)}`
	throw status === 409 || status === 429 || status >= 500 ? new Error(words) : failure('API_REFUSED', words)
}
