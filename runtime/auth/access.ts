/** What a client may do: `write` includes `read`, and `admin` includes both. */
export const accesses = ['read', 'write', 'admin'] as const
export type Access = (typeof accesses)[number]

/** All providers: in a grant, and as the provider of a request that concerns all of them, such as a backup. */
export const EVERY_PROVIDER = '*'

/** What a client of the clients file may do, and for which providers. */
export type Grant = { readonly may: Access; readonly providers: readonly string[] }

export function isGranted({ may, providers }: Grant, access: Access, providerId: string): boolean {
	if (accesses.indexOf(may) < accesses.indexOf(access)) return false
	return providers.includes(EVERY_PROVIDER) || (providerId !== EVERY_PROVIDER && providers.includes(providerId))
}

/**
 * The RBAC verb for each kind of access. As usual in RBAC, a verb does not include another one. `manage` is not a verb of the API server, so
 * only a rule with `manage` or `*` grants it.
 */
export const verbs: Readonly<Record<Access, string>> = { read: 'get', write: 'update', admin: 'manage' }

/** Returns whether a token has the form of a JSON Web Token. All tokens of service accounts have it. */
export function isJsonWebToken(token: string): boolean {
	return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)
}

/** Returns the token of an `Authorization` header, or an empty string if it has none. */
export function bearerIn(authorization: string | undefined): string {
	return /^Bearer +(.*\S) *$/i.exec(authorization ?? '')?.[1] ?? ''
}
