import { readFileSync } from 'node:fs'
import type { RequestOptions } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RunConfig } from '../../contract/agent-run.ts'
import { AGENT_MANAGER, REPORT_KEY } from '../../contract/names.ts'
import { wordsOf } from '../../runtime/errors.ts'
import { failure, isFailure } from '../model/failure.ts'

export type ApiServer = { host: string; port: number }

/** The change may have cut off the API server for a moment, so requests are retried for this long (milliseconds). */
const PATIENCE = 60_000

/**
 * Patches the report into the one key of the one ConfigMap that this run may write.
 *
 * @param serviceAccount folder with `token` and `ca.crt`
 * @throws Failure API_REFUSED when the API server rejects the request, or cannot be reached within a minute
 */
export async function send(text: string, { namespace, configMap }: RunConfig['report'], access: Access): Promise<void> {
	const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/configmaps/${encodeURIComponent(configMap)}?fieldManager=${AGENT_MANAGER}`
	const body = JSON.stringify({ data: { [REPORT_KEY]: text } })
	const end = performance.now() + PATIENCE
	for (let delay = 250; ; delay = Math.min(delay * 2, 5_000)) {
		try {
			return await patch(path, body, access)
		} catch (error) {
			if (isFailure(error)) throw error
			if (performance.now() + delay > end)
				throw failure('API_REFUSED', `the API server could not be reached for a minute: ${wordsOf(error)}`, { cause: error })
			await sleep(delay)
		}
	}
}

type Access = { apiServer: ApiServer; serviceAccount: string }

async function patch(path: string, body: string, { apiServer: { host, port }, serviceAccount }: Access): Promise<void> {
	const ca = readFileSync(`${serviceAccount}/ca.crt`)
	const headers = {
		authorization: `Bearer ${readFileSync(`${serviceAccount}/token`, 'utf8').trim()}`,
		'content-type': 'application/merge-patch+json',
		'content-length': Buffer.byteLength(body),
	}
	const { status, text } = await exchange({ method: 'PATCH', host, port, path, headers, ca }, body)
	settle(status, text)
}

/** More of a rejection is neither read nor reported (characters). */
const MOST = 200

/**
 * Uses a connection of its own: Node's shared agent would use a proxy. A redirect is not followed. HTTPS is loaded on demand, so that a run
 * that reports to a file does not pay for it.
 *
 * @returns the status, and the beginning of the body of a rejection
 */
async function exchange(options: RequestOptions, body: string): Promise<{ status: number; text: string }> {
	const { request } = await import('node:https')
	return new Promise((resolve, reject) => {
		const sent = request({ ...options, agent: false, timeout: 10_000 }, answer => {
			const { statusCode: status = 0 } = answer
			let text = ''
			const end = () => {
				resolve({ status, text })
				sent.destroy()
			}
			answer.setEncoding('utf8').on('end', end).on('error', end)
			answer.on('data', (more: string) => {
				text += more
				if (isSuccess(status) || text.length >= MOST) end()
			})
		})
		sent.on('timeout', () => sent.destroy(new Error('no response within 10 s')))
		sent.on('error', error => reject(error.message === 'socket hang up' ? new Error(CLOSED) : error))
		sent.end(body)
	})
}

const CLOSED = 'the API server closed the connection without a response'

function isSuccess(status: number): boolean {
	return status >= 200 && status < 300
}

/** A conflict, too many requests or a server error may pass; any other rejection is final. */
function settle(status: number, text: string): void {
	if (isSuccess(status)) return
	const words = `the API server returned ${status}: ${text.slice(0, MOST)}`
	throw status === 409 || status === 429 || status >= 500 ? new Error(words) : failure('API_REFUSED', words)
}
