import type { HttpAnswer, HttpCall, HttpClient, StreamCall } from '../../runtime/http-client.ts'
import { type Grant, reveal } from './decide.ts'

/** A call to a path of the granted endpoint. The path begins with `/`, so it cannot change the host. */
export type GrantedCall<T> = Omit<HttpCall<T>, 'url' | 'headers' | 'body' | 'secrets'> & {
	path: `/${string}`
	headers?: (secret: string) => Readonly<Record<string, string>>
	/** Sent as JSON. */
	body?: (secret: string) => unknown
}

/** An event stream at a path of the granted endpoint. */
export type GrantedStream = Omit<StreamCall, 'url' | 'headers' | 'secrets'> & Pick<GrantedCall<unknown>, 'path' | 'headers'>

/** Makes calls that contain a secret, only to the endpoint of its grant. */
export type GrantedClient = {
	readonly grant: Grant
	/** A redirect is treated as a failure and is not followed. @throws Failure with an HttpCode, which does not contain the secret */
	call<T = unknown>(call: GrantedCall<T>): Promise<HttpAnswer<T>>
	/** Yields the bytes of an event stream, as `HttpClient.stream` does. */
	stream(stream: GrantedStream): AsyncIterable<Uint8Array>
}

/** Creates a client for a secret and an endpoint that were checked together. This is the only way to send a secret. */
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
		stream: ({ path, headers, ...stream }) =>
			http.stream({
				...stream,
				url: `${grant.endpoint.url}${path}`,
				...(headers && { headers: headers(secret) }),
				secrets: [secret],
			}),
	}
}
