import type { Config } from './config.ts'
import { providerRefusal } from './disclosure/providers.ts'
import type { OpenstackConfig } from './kind.ts'

type Env = Pick<Config, 'VIOLA_ENDPOINT' | 'VIOLA_ALLOWED_PROVIDERS'>

/**
 * Returns the nodes that older OpenstackConfigs of the same biz cluster have sent. A younger one skips these nodes, so that two
 * OpenstackConfigs never overwrite each other repeatedly. The order is by age, then by name.
 *
 * Only an OpenstackConfig that may send to that cluster has a claim: its status may list nodes of another cluster, which it named before.
 *
 * @returns node name → `namespace/name` of the OpenstackConfig that owns it
 */
export function claimsOf(own: OpenstackConfig, all: Iterable<OpenstackConfig>, env: Env): Map<string, string> {
	const cluster = clusterOf(own, env)
	const older = [...all].filter(other => clusterOf(other, env) === cluster && rank(other) < rank(own) && isEntitled(other, own, env))
	return new Map(older.flatMap(other => (other.status?.nodes ?? []).map(({ nodeName }) => [nodeName, keyOf(other)] as const)))
}

/**
 * Whether the other OpenstackConfig may send to the cluster. A token from the environment is limited to the providers that are allowed for
 * the namespace; for a token from a namespace, only viola can determine what it permits.
 */
function isEntitled({ metadata, spec }: OpenstackConfig, own: OpenstackConfig, { VIOLA_ALLOWED_PROVIDERS: allowed }: Env): boolean {
	const { namespace = '' } = metadata
	if (namespace === own.metadata.namespace) return true
	if (spec.secrets?.violaTokenSecretRef) return false
	const token = { source: 'environment', field: '' } as const
	return providerRefusal({ token, namespace, providerId: providerOf(spec) ?? '', field: '', allowed }) === undefined
}

function clusterOf(config: OpenstackConfig, env: Env): string {
	return JSON.stringify([urlOf(config, env), providerOf(config.spec)])
}

/** Returns the address of the viola that an OpenstackConfig uses, if any. */
export function urlOf({ spec }: OpenstackConfig, { VIOLA_ENDPOINT }: Pick<Env, 'VIOLA_ENDPOINT'>): string | undefined {
	return (spec.settings?.violaEndpoint ?? VIOLA_ENDPOINT)?.replace(/\/$/, '')
}

/** Returns the id of its biz cluster, if any. */
export function providerOf({ credentials }: OpenstackConfig['spec']): string | undefined {
	return credentials.k8sProviderID ?? credentials.openstackProviderID
}

/** Returns the order of OpenstackConfigs: by age, then by name. */
export function rank(config: OpenstackConfig): string {
	return `${config.metadata.creationTimestamp} ${keyOf(config)}`
}

function keyOf({ metadata }: OpenstackConfig): string {
	return `${metadata.namespace}/${metadata.name}`
}
