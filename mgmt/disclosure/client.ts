import type { HttpAnswer, HttpCall, HttpClient } from '../../runtime/http-client.ts'
import { type Grant, reveal } from './decide.ts'

/** A call below the granted endpoint. A path begins with `/`, so it cannot change the host. */
export type GrantedCall<T> = Omit<HttpCall<T>, 'url' | 'headers' | 'body' | 'secrets'> & {
	path: `/${string}`
	headers?: (secret: string) => Readonly<Record<string, string>>
	/** Sent as JSON. */
	body?: (secret: string) => unknown
}

/** Makes calls that carry a secret, only to the endpoint of its grant. */
export type GrantedClient = {
	readonly grant: Grant
	/** A redirect is a failure and is not followed. @throws Failure with an HttpCode, which does not repeat the secret */
	call<T = unknown>(call: GrantedCall<T>): Promise<HttpAnswer<T>>
}

/** Creates a client for a checked pair. This is the only way to send a secret. */
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
