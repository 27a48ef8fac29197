import type { Credentials } from '../credentials.ts'
import { bearerFromFile } from '../in-cluster.ts'
import type { User } from './schema.ts'

/** What a user of a kubeconfig says of itself in every request, where no program is asked for it. */
export function identityOf(user: User): Credentials['headers'] {
	const own = ownHeaders(user)
	const acting = impersonation(user)
	return async refused => ({ ...(await own(refused)), ...acting })
}

/** Whether it can say who it is without a program: then exec and auth-provider are not asked. */
export function hasOwnIdentity(user: User): boolean {
	return [user.token, user.tokenFile, user.username, user['client-certificate'], user['client-certificate-data']].some(Boolean)
}

/** The token of the file is the newer one; the other is for as long as the file cannot be read. */
function ownHeaders({ token, tokenFile, username, password = '' }: User): Credentials['headers'] {
	const headers: Record<string, string> = {}
	if (token) headers.authorization = `Bearer ${token}`
	else if (username) headers.authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
	if (!tokenFile) return async () => headers
	const fromFile = bearerFromFile(tokenFile)
	return token ? refused => fromFile(refused).catch(() => headers) : fromFile
}

/** The headers by which the API server lets one user act as another. */
export function impersonation({ as, 'as-uid': uid, 'as-groups': groups, 'as-user-extra': extra }: User): Record<string, string | string[]> {
	if (as === undefined) return {}
	return {
		'impersonate-user': as,
		...(uid !== undefined && { 'impersonate-uid': uid }),
		...(groups.length > 0 && { 'impersonate-group': groups }),
		...Object.fromEntries(Object.entries(extra).map(([key, values]) => [`impersonate-extra-${escaped(key)}`, values])),
	}
}

/** A key as the name of a header: what may not be in one becomes %2F. */
function escaped(key: string): string {
	const isPlain = (byte: number) => /[!#$&'*+.^_`|~0-9A-Za-z-]/.test(String.fromCharCode(byte)) && byte < 128
	return [...Buffer.from(key)]
		.map(byte => (isPlain(byte) ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`))
		.join('')
}
