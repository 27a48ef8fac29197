import { readFileSync } from 'node:fs'
import type { RunConfig } from '../contract/agent-run.ts'
import { REPORT_KEY } from '../contract/names.ts'
import { wordsOf } from '../runtime/errors.ts'
import { failure, isFailure } from './failure.ts'

export type ApiServer = { host: string; port: number }

/** The change may have cut the API server off for a moment, so it is tried for this long (milliseconds). */
const PATIENCE = 60_000

/**
 * Patches the report into the one key of the one ConfigMap that this run may write.
 *
 * @param serviceAccount folder with `token` and `ca.crt`
 * @throws Failure API_REFUSED when the API server says no, or cannot be reached within a minute
 */
export async function send(
	text: string,
	{ namespace, configMap }: RunConfig['report'],
	{ apiServer, serviceAccount }: { apiServer: ApiServer; serviceAccount: string },
): Promise<void> {
	const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/configmaps/${encodeURIComponent(configMap)}`
	const body = JSON.stringify({ data: { [REPORT_KEY]: text } })
	const end = performance.now() + PATIENCE
	for (let delay = 250; ; delay = Math.min(delay * 2, 5_000)) {
		try {
			return await patch(path, body, { apiServer, serviceAccount })
		} catch (error) {
			if (isFailure(error)) throw error
			if (performance.now() + delay > end)
				throw failure('API_REFUSED', `the API server could not be reached for a minute: ${wordsOf(error)}`, { cause: error })
			await new Promise(resolve => setTimeout(resolve, delay))
		}
	}
}

/** Loaded when it is needed: a run that reports to a file never pays for TLS. */
async function patch(
	path: string,
	body: string,
	{ apiServer, serviceAccount }: { apiServer: ApiServer; serviceAccount: string },
): Promise<void> {
	const { request } = await import('node:https')
	const options = {
		...apiServer,
		path,
		method: 'PATCH',
		ca: readFileSync(`${serviceAccount}/ca.crt`),
		timeout: 10_000,
		headers: {
			authorization: `Bearer ${readFileSync(`${serviceAccount}/token`, 'utf8').trim()}`,
			'content-type': 'application/merge-patch+json',
			'content-length': Buffer.byteLength(body),
		},
	}
	await new Promise<void>((resolve, reject) => {
		const call = request(options, answer => {
			const chunks: Buffer[] = []
			answer.on('data', (chunk: Buffer) => chunks.push(chunk))
			answer.on('error', reject)
			answer.on('end', () => settle(answer.statusCode ?? 0, Buffer.concat(chunks).toString()).then(resolve, reject))
		})
		call.on('timeout', () => call.destroy(new Error('no answer within 10 s')))
		call.on('error', reject)
		call.end(body)
	})
}

/** A conflict, too many requests or a server in trouble may pass; any other refusal stays. */
async function settle(status: number, text: string): Promise<void> {
	if (status >= 200 && status < 300) return
	const words = `the API server answered ${status}: ${text.slice(0, 200)}`
	throw status === 409 || status === 429 || status >= 500 ? new Error(words) : failure('API_REFUSED', words)
}
