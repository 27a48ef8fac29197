import type { ConnectionOptions } from 'node:tls'

/** Of a client, with its key; PEM. */
export type Certificate = { cert: string; key: string }

/** How to reach one API server, and as whom. */
export type Credentials = {
	/** `https://host:port`, perhaps with a path, without a final slash. */
	server: string
	tls: {
		/** PEM. */
		ca?: string
		cert?: string
		key?: string
		rejectUnauthorized?: boolean
		servername?: string
		checkServerIdentity?: NonNullable<ConnectionOptions['checkServerIdentity']>
	}
	/** `tls.cert` and `tls.key` as they are since `headers` was asked last, where they may change. */
	certificate?: () => Certificate | undefined
	/** `tls.ca` as it is now, where it stands in a file that may change. */
	authorities?: () => Promise<string>
	/** `http://host:port` of a proxy between us and the server. */
	proxy?: string
	/** The namespace these credentials belong to, where they say so. */
	namespace?: string
	/**
	 * The headers that say who we are.
	 *
	 * @param refused the server has just answered 401 to the headers given last: read the token again
	 */
	headers(refused: boolean): Promise<Record<string, string | string[]>>
}
