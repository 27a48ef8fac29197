import type { ConnectionOptions } from 'node:tls'

/** A client certificate with its key; PEM. */
export type Certificate = { cert: string; key: string }

/** How to reach one API server, and the identity to use. */
export type Credentials = {
	/** `https://host:port`, optionally with a path, without a trailing slash. */
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
	/** `tls.cert` and `tls.key` as of the last call of `headers`, if they may change. */
	certificate?: () => Certificate | undefined
	/** The current `tls.ca`, if it is in a file that may change. */
	authorities?: () => Promise<string>
	/** URL of a proxy to the server, such as `http://host:port`. */
	proxy?: string
	/** The namespace of the kubeconfig context or of the pod, if known. */
	namespace?: string
	/**
	 * Returns the headers that identify this client.
	 *
	 * @param refused the server has just answered 401 to the last headers: read the token again
	 */
	headers(refused: boolean): Promise<Record<string, string | string[]>>
}
