import type { IncomingMessage } from 'node:http'
import { badRequest } from './refusal.ts'

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'apply' | 'delete' | 'other'

/** A request, parsed from its request line, headers and body. */
export type ApiRequest = {
	/** Sequence number in the order of arrival, starting at 1. */
	number: number
	verb: Verb
	method: string
	path: string
	query: URLSearchParams
	/** `group`, `version` and `plural` are empty strings if the path names no kind. */
	group: string
	version: string
	plural: string
	namespace: string | undefined
	name: string | undefined
	subresource: string | undefined
	userAgent: string
	/** The bearer token; the empty string if there is none. */
	bearer: string
	/** The impersonated user, if any. */
	impersonated: string | undefined
	contentType: string
	/** The parsed JSON; undefined if there is none. */
	body: unknown
}

/**
 * Reads a request completely.
 *
 * @throws Refusal 400 for a body that is not JSON
 */
export async function readRequest(message: IncomingMessage, number: number): Promise<ApiRequest> {
	const { method = 'GET', headers } = message
	const { pathname, searchParams: query } = new URL(message.url ?? '/', 'http://fake')
	const contentType = headers['content-type'] ?? ''
	const place = placeOf(pathname)
	return {
		number,
		verb: verbOf(method, place, query.get('watch'), contentType),
		method,
		path: pathname,
		query,
		...place,
		userAgent: headers['user-agent'] ?? '',
		bearer: /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? '',
		impersonated: String(headers['impersonate-user'] ?? '') || undefined,
		contentType,
		body: parse(await textOf(message)),
	}
}

type Place = Pick<ApiRequest, 'group' | 'version' | 'plural' | 'namespace' | 'name' | 'subresource'>

/** Parses a path. `/api/v1/namespaces/a` is a namespace; `/api/v1/namespaces/a/pods` are the pods in it. */
function placeOf(path: string): Place {
	const [root, ...parts] = path.split('/').slice(1).map(decodeURIComponent)
	const [group = '', version = '', ...rest] = root === 'api' ? ['', ...parts] : root === 'apis' ? parts : []
	const isInside = rest[0] === 'namespaces' && rest.length > 2 && rest[2] !== 'status'
	const [plural = '', name, subresource] = isInside ? rest.slice(2) : rest
	return { group, version, plural, namespace: isInside ? rest[1] : undefined, name, subresource }
}

function verbOf(method: string, { plural, name }: Place, watch: string | null, contentType: string): Verb {
	if (!plural) return 'other'
	if (!name) return ({ GET: watch === 'true' || watch === '1' ? 'watch' : 'list', POST: 'create' } as const)[method] ?? 'other'
	const patch = contentType.startsWith('application/apply-patch') ? 'apply' : 'patch'
	return ({ GET: 'get', PUT: 'update', PATCH: patch, DELETE: 'delete' } as const)[method] ?? 'other'
}

async function textOf(message: IncomingMessage): Promise<string> {
	const chunks: Buffer[] = []
	for await (const chunk of message) chunks.push(chunk)
	return Buffer.concat(chunks).toString('utf8')
}

function parse(text: string): unknown {
	if (text === '') return undefined
	try {
		return JSON.parse(text)
	} catch (error) {
		throw badRequest(`error decoding the body: ${String(error)}`)
	}
}
