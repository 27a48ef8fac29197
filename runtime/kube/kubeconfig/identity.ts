import type { Credentials } from './credentials.ts'
import { bearerFromFile } from './bearer-file.ts'
import type { User } from './schema.ts'

/** Returns the headers that identify a kubeconfig user in every request, for a user that needs no exec plugin or auth-provider. */
export function identityOf(user: User): Credentials['headers'] {
	const own = ownHeaders(user)
	const acting = impersonation(user)
	return async refused => ({ ...(await own(refused)), ...acting })
}

/** Returns whether the kubeconfig itself provides the user's credentials: exec and auth-provider are then not used. */
export function hasOwnIdentity(user: User): boolean {
	return [user.token, user.tokenFile, user.username, user['client-certificate'], user['client-certificate-data']].some(Boolean)
}

/** The token in the file takes precedence because it is newer; `token` applies while the file cannot be read. */
function ownHeaders({ token, tokenFile, username, password = '' }: User): Credentials['headers'] {
	const headers: Record<string, string> = {}
	if (token) headers.authorization = `Bearer ${token}`
	else if (username) headers.authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
	if (!tokenFile) return async () => headers
	const fromFile = bearerFromFile(tokenFile)
	return token ? refused => fromFile(refused).catch(() => headers) : fromFile
}

/** Returns the impersonation headers, with which one user acts as another. */
export function impersonation({ as, 'as-uid': uid, 'as-groups': groups, 'as-user-extra': extra }: User): Record<string, string | string[]> {
	if (as === undefined) return {}
	return {
		'impersonate-user': as,
		...(uid !== undefined && { 'impersonate-uid': uid }),
		...(groups.length > 0 && { 'impersonate-group': groups }),
		...Object.fromEntries(Object.entries(extra).map(([key, values]) => [`impersonate-extra-${escaped(key)}`, values])),
	}
}

/** Encodes a key for use in a header name: characters that are not allowed there are percent-encoded (`%2F`). */
function escaped(key: string): string {
	const isPlain = (byte: number) => /[!#$&'*+.^_`|~0-9A-Za-z-]/.test(String.fromCharCode(byte)) && byte < 128
	return [...Buffer.from(key)]
		.map(byte => (isPlain(byte) ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`))
		.join('')
}
