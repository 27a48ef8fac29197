import { type Dispatcher, request } from 'undici'
import { deadline } from '../clock.ts'
import { Failure } from '../errors.ts'
import type { Agents, Connections } from './connections.ts'
import type { Credentials } from './kubeconfig/credentials.ts'
import { isProtobuf, readStatus } from './envelope.ts'
import { requestFailure, failureOf, isKubeFailure, type KubeCode } from './failures.ts'
import type { Call, Request, Stream } from './request.ts'

/** Everything that a request needs to reach the server. */
export type Wire = {
	credentials: Credentials
	connections: Connections
	options: { userAgent?: string; timeoutMs?: number }
	/** Called after every attempt, except one that `mayBegin` prevented. */
	finished: (call: Omit<Call, 'host'>) => void
}

/** The context of an attempt: how long it waited before it began, in seconds, and whether it repeats an earlier attempt. */
export type Try = Pick<Call, 'waited' | 'isRetry'>

/** Makes one attempt and reads the whole response. */
export async function exchange(wire: Wire, wanted: Request, how: Try): Promise<unknown> {
	const limit = deadline(wanted.timeoutMs ?? wire.options.timeoutMs ?? 30_000, wanted.signal)
	try {
		const answer = await sendAuthenticated(wire, wanted, { ...how, over: wanted.urgent ? 'urgent' : 'requests', signal: limit.signal })
		return parse(wanted, answer.headers['content-type'], await answer.body.text())
	} catch (error) {
		throw failureOfTry(wire, wanted, limit.expired(), error)
	} finally {
		limit.clear()
	}
}

/** Opens a stream. The time limit applies until the response begins; the stream itself has no time limit. */
export async function open(wire: Wire, wanted: Request & { signal: AbortSignal }, how: Try): Promise<Stream> {
	const limit = deadline(wanted.timeoutMs ?? wire.options.timeoutMs ?? 30_000, wanted.signal)
	try {
		const { headers, body } = await sendAuthenticated(wire, wanted, { ...how, over: 'streams', signal: limit.signal })
		limit.restart(0)
		return { contentType: String(headers['content-type']), bytes: body }
	} catch (error) {
		limit.clear()
		throw failureOfTry(wire, wanted, limit.expired(), error)
	}
}

function failureOfTry({ credentials: { server } }: Wire, wanted: Request, expired: boolean, error: unknown): unknown {
	return requestFailure({ what: whatOf(wanted), server, stopped: wanted.signal?.aborted ?? false, expired }, error)
}

async function sendAuthenticated(wire: Wire, wanted: Request, how: How): Promise<Dispatcher.ResponseData> {
	const first = await wire.connections.retryOnUntrustedCert(() => tryOnce(wire, wanted, how))
	if (first.statusCode < 300) return first
	if (first.statusCode !== 401) throw await refusal(wanted, first)
	await first.body.dump()
	const second = await tryOnce(wire, wanted, { ...how, refused: true, isRetry: true })
	if (second.statusCode < 300) return second
	throw await refusal(wanted, second)
}

type How = Try & { over: keyof Agents; signal: AbortSignal; refused?: boolean }

async function tryOnce(wire: Wire, wanted: Request, how: How): Promise<Dispatcher.ResponseData> {
	const started = performance.now()
	const finish = (code: string) => {
		const { method, verb = method.toLowerCase() } = wanted
		const seconds = (performance.now() - started) / 1_000
		wire.finished({ verb, method, code, seconds, waited: how.waited, isRetry: how.isRetry })
	}
	try {
		const identity = await wire.credentials.headers(how.refused ?? false)
		if (wanted.mayBegin && !wanted.mayBegin()) throw notAllowed(wanted)
		const answer = await request(urlOf(wire.credentials.server, wanted), {
			dispatcher: wire.connections.agents()[how.over],
			method: wanted.method,
			headers: {
				accept: wanted.accept ?? 'application/json',
				'user-agent': wire.options.userAgent ?? 'node',
				...bodyType(wanted),
				...identity,
			},
			signal: how.signal,
			headersTimeout: 0,
			bodyTimeout: 0,
			...(wanted.body !== undefined && { body: JSON.stringify(wanted.body) }),
		})
		finish(String(answer.statusCode))
		return answer
	} catch (error) {
		if (!isKubeFailure(error, 'STOPPED')) finish('<error>')
		throw error
	}
}

function notAllowed(wanted: Request): Failure<KubeCode> {
	return new Failure('STOPPED', `${whatOf(wanted)} was not sent: this process must not write now`, { retry: true })
}

function bodyType({ body, contentType }: Request): Record<string, string> {
	return body === undefined ? {} : { 'content-type': contentType ?? 'application/json' }
}

function urlOf(server: string, { path, query = {} }: Request): string {
	const search = new URLSearchParams()
	for (const [name, value] of Object.entries(query)) if (value !== undefined && value !== '') search.set(name, String(value))
	return search.size > 0 ? `${server}${path}?${search}` : server + path
}

async function refusal(wanted: Request, answer: Dispatcher.ResponseData): Promise<Failure<KubeCode>> {
	const header = answer.headers['retry-after']
	return failureOf(whatOf(wanted), answer.statusCode, await textOf(answer), typeof header === 'string' ? header : undefined)
}

/** Returns the body of an error response as text. If protobuf was requested, the error is protobuf too. */
async function textOf({ headers, body }: Dispatcher.ResponseData): Promise<string> {
	return isProtobuf(String(headers['content-type'])) ? JSON.stringify(readStatus(await body.bytes())) : body.text()
}

function parse(wanted: Request, contentType: string | string[] | undefined, text: string): unknown {
	if (!String(contentType).includes('json')) return text
	try {
		return JSON.parse(text)
	} catch (cause) {
		throw new Failure<KubeCode>('SERVER_ERROR', `${whatOf(wanted)}: truncated or invalid JSON in the response`, { retry: true, cause })
	}
}

function whatOf({ method, path }: Request): string {
	return `${method} ${path}`
}
