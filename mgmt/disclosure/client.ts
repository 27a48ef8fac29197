import type { HttpAnswer, HttpCall, HttpClient } from '../../runtime/http-client.ts'
import { type Grant, reveal } from './decide.ts'

/** A call below the granted endpoint. A path begins with `/`, so it cannot change the host. */
export type GrantedCall<T> = Omit<HttpCall<T>, 'url' | 'headers' | 'body' | 'secrets'> & {
	path: `/${string}`
	headers?: (secret: string) => Readonly<Record<string, string>>
	/** Sent as JSON. */
	body?: (secret: string) => unknown
}

/** Calls that carry a secret, to the endpoint of its grant only. */
export type GrantedClient = {
	readonly grant: Grant
	/** A redirect is a failure and is not followed. @throws Failure with an HttpCode, which does not repeat the secret */
	call<T = unknown>(call: GrantedCall<T>): Promise<HttpAnswer<T>>
}

/** The one way to send a secret: a client of a checked pair. */
export function createGrantedClient(http: HttpClient, grant: Grant): GrantedClient {
	const secret = reveal(grant)
	return {
		grant,
		call: ({ path, headers, body, ...call }) =>
			http.call({
				...call,
				url: `${grant.endpoint.url}${path}`,
				...(headers && { headers: headers(secret) }),
				...(body && { body: body(secret) }),
				secrets: [secret],
			}),
	}
}
