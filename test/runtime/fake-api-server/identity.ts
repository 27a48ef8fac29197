import { Refusal, resourceOf } from './refusal.ts'
import type { ApiRequest } from './request.ts'
import type { Store } from './store.ts'

/** Whether somebody may do something. */
export type Allows = (user: string, request: ApiRequest) => boolean

/** The account with all rights. */
export const ADMIN = 'admin'

/** Every user's token is this and the name. */
const tokenOf = 'token-of-'

export function bearerOf(user: string): string {
	return `Bearer ${tokenOf}${user}`
}

/** Who makes a request, or undefined for a token that is none. */
export function userOf({ bearer, impersonated }: ApiRequest): string | undefined {
	return bearer.startsWith(tokenOf) ? (impersonated ?? bearer.slice(tokenOf.length)) : undefined
}

/** @throws Refusal 401, or 403 in the words of RBAC */
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
