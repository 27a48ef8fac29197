import { Refusal, resourceOf } from './refusal.ts'
import type { ApiRequest } from './request.ts'
import type { Store } from './store.ts'

/** Returns whether a user may make a request. */
export type Allows = (user: string, request: ApiRequest) => boolean

/** The account with all permissions. */
export const ADMIN = 'admin'

/** Prefix of every user's token; the user's name follows. */
const tokenOf = 'token-of-'

export function bearerOf(user: string): string {
	return `Bearer ${tokenOf}${user}`
}

/** Returns the user of a request, or undefined for an invalid token. */
export function userOf({ bearer, impersonated }: ApiRequest): string | undefined {
	return bearer.startsWith(tokenOf) ? (impersonated ?? bearer.slice(tokenOf.length)) : undefined
}

/** @throws Refusal 401, or 403 with the message of RBAC */
export function mustBeAllowed(store: Store, allows: Allows, request: ApiRequest): void {
	const user = userOf(request)
	if (user === undefined) throw new Refusal({ code: 401, reason: 'Unauthorized', message: 'Unauthorized' })
	if (user === ADMIN || allows(user, request)) return
	const { verb, plural, group, namespace, name } = request
	if (!plural) return
	const where = namespace === undefined ? 'at the cluster scope' : `in the namespace "${namespace}"`
	const what = `User "${user}" cannot ${verb === 'apply' ? 'patch' : verb} resource "${plural}" in API group "${group}" ${where}`
	const message = `${resourceOf(store.collection(request).kind)}${name ? ` "${name}"` : ''} is forbidden: ${what}`
	throw new Refusal({ code: 403, reason: 'Forbidden', message, details: { ...(name && { name }), group, kind: plural } })
}
