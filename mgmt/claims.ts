import type { Config } from './config.ts'
import { providerRefusal } from './disclosure/providers.ts'
import type { OpenstackConfig } from './kind.ts'

type Env = Pick<Config, 'VIOLA_ENDPOINT' | 'VIOLA_ALLOWED_PROVIDERS'>

/**
 * Returns the nodes that an older OpenstackConfig of the same biz cluster has sent. A younger one skips them, so that two never overwrite
 * each other in turns. Age decides, then the name.
 *
 * Only one that may send to that cluster has a claim: its status may list nodes of another cluster, which it named before.
 *
 * @returns node name → `namespace/name` of its owner
 */
export function claimsOf(own: OpenstackConfig, all: Iterable<OpenstackConfig>, env: Env): Map<string, string> {
	const cluster = clusterOf(own, env)
	const older = [...all].filter(other => clusterOf(other, env) === cluster && rank(other) < rank(own) && isEntitled(other, own, env))
	return new Map(older.flatMap(other => (other.status?.nodes ?? []).map(({ nodeName }) => [nodeName, keyOf(other)] as const)))
}

/** A token from the environment is limited to the providers of a namespace; only viola knows what a token from a namespace is for. */
function isEntitled({ metadata, spec }: OpenstackConfig, own: OpenstackConfig, { VIOLA_ALLOWED_PROVIDERS: allowed }: Env): boolean {
	const { namespace = '' } = metadata
	if (namespace === own.metadata.namespace) return true
	if (spec.secrets?.violaTokenSecretRef) return false
	const token = { source: 'environment', field: '' } as const
	return providerRefusal({ token, namespace, providerId: providerOf(spec) ?? '', field: '', allowed }) === undefined
}

function clusterOf({ spec }: OpenstackConfig, { VIOLA_ENDPOINT }: Env): string {
	return JSON.stringify([(spec.settings?.violaEndpoint ?? VIOLA_ENDPOINT)?.replace(/\/$/, ''), providerOf(spec)])
}

function providerOf({ credentials }: OpenstackConfig['spec']): string | undefined {
	return credentials.k8sProviderID ?? credentials.openstackProviderID
}

function rank(config: OpenstackConfig): string {
	return `${config.metadata.creationTimestamp} ${keyOf(config)}`
}

function keyOf({ metadata }: OpenstackConfig): string {
	return `${metadata.namespace}/${metadata.name}`
}
