import { providerOf, rank, urlOf } from './claims.ts'
import type { Config } from './config.ts'
import { isAllowedHost } from './disclosure/hosts.ts'
import { providerRefusal } from './disclosure/providers.ts'
import type { OpenstackConfig } from './kind.ts'

type Env = Pick<Config, 'VIOLA_ENDPOINT' | 'VIOLA_ALLOWED_PROVIDERS' | 'SECRET_ENDPOINT_HOSTS'>

/**
 * Returns why nothing that this OpenstackConfig sends or receives is stored in the inventory; undefined if it is.
 *
 * The inventory has one biz cluster per provider id, so it believes one viola per provider id: the one of the environment, or a host on
 * SECRET_ENDPOINT_HOSTS, otherwise the one that the oldest OpenstackConfig names. Otherwise an author could set up a server that reports
 * anything about the nodes of other namespaces.
 */
export function notRecorded(own: OpenstackConfig, all: Iterable<OpenstackConfig>, env: Env): string | undefined {
	const providerId = providerOf(own.spec)
	const others = [...all].filter(other => providerOf(other.spec) === providerId && urlOf(other, env) !== urlOf(own, env))
	const stronger = others.find(other => isEntitled(other, env) && strength(other, env) < strength(own, env))
	if (!stronger) return undefined
	return `the inventory does not contain its nodes: it takes provider ${providerId} from the viola of ${stronger.metadata.namespace}/${stronger.metadata.name}`
}

/** The lower string comes first. */
function strength(config: OpenstackConfig, env: Env): string {
	return `${isTrusted(config, env) ? 0 : 1} ${rank(config)}`
}

function isTrusted({ spec }: OpenstackConfig, env: Env): boolean {
	const own = spec.settings?.violaEndpoint
	if (own === undefined) return true
	const url = URL.parse(own)
	return url !== null && isAllowedHost(url, env.SECRET_ENDPOINT_HOSTS)
}

/** Whether it may use the token of the environment for this provider, if it uses that token at all. */
function isEntitled({ metadata, spec }: OpenstackConfig, { VIOLA_ALLOWED_PROVIDERS: allowed }: Env): boolean {
	if (spec.secrets?.violaTokenSecretRef) return true
	const token = { source: 'environment', field: '' } as const
	const { namespace = '' } = metadata
	return providerRefusal({ token, namespace, providerId: providerOf(spec) ?? '', field: '', allowed }) === undefined
}
