import * as z from 'zod'
import { HeaderText, ObjectName } from '../../runtime/env.ts'
import type { Origin } from '../model/origin.ts'

/** Namespace → the provider ids for which its OpenstackConfigs may use mgmt's own viola token. */
export type AllowedProviders = ReadonlyMap<string, readonly string[]>

const Namespace = ObjectName.max(63)
const ProviderId = HeaderText.max(253)

/** `namespace=id,id;namespace=id` */
export const AllowedProviders = z.string().transform((text, context) => {
	const providers = new Map<string, readonly string[]>()
	for (const entry of text.split(';').flatMap(it => it.trim() || [])) {
		const read = readEntry(entry)
		const fault = !read ? 'must be namespace=id or namespace=id,id' : providers.has(read.namespace) ? 'names a namespace twice' : undefined
		if (read && !fault) providers.set(read.namespace, read.ids)
		else context.addIssue({ code: 'custom', message: `${JSON.stringify(entry.slice(0, 100))} ${fault}` })
	}
	return providers as AllowedProviders
})

type Question = {
	/** The origin of the viola token. */
	token: Origin
	namespace: string
	providerId: string
	/** The field that names the provider. */
	field: string
	/** Undefined if every id is allowed. */
	allowed: AllowedProviders | undefined
}

/**
 * Returns why mgmt's own viola token must not be used for this provider; undefined if it may be used. A token of the namespace may be used
 * for every provider.
 */
export function providerRefusal({ token, namespace, providerId, field, allowed }: Question): string | undefined {
	if (token.source === 'namespace' || !allowed) return undefined
	const ids = allowed.get(namespace)
	const own = 'and the viola token comes from the environment of mgmt'
	if (!ids) return `${field}: namespace ${namespace} has no entry in VIOLA_ALLOWED_PROVIDERS, ${own}`
	if (!ids.includes(providerId)) return `${field}: VIOLA_ALLOWED_PROVIDERS does not allow ${providerId} for namespace ${namespace}, ${own}`
	return undefined
}

function readEntry(entry: string): { namespace: string; ids: string[] } | undefined {
	const [, name = '', list = ''] = /^([^=]*)=(.*)$/s.exec(entry) ?? []
	const namespace = name.trim()
	const ids = list.split(',').flatMap(id => id.trim() || [])
	const isRight = Namespace.safeParse(namespace).success && ids.length > 0 && ids.every(id => ProviderId.safeParse(id).success)
	return isRight ? { namespace, ids } : undefined
}
