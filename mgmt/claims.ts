import type { OpenstackConfig } from './kind.ts'

/**
 * Nodes that an older OpenstackConfig of the same biz cluster has sent: a younger one leaves them alone, so that two never overwrite each other
 * in turns. Age decides, then the name.
 *
 * @returns node name → `namespace/name` of its owner
 */
export function claimsOf(own: OpenstackConfig, all: Iterable<OpenstackConfig>): Map<string, string> {
	const older = [...all].filter(other => providerOf(other) === providerOf(own) && rank(other) < rank(own))
	return new Map(older.flatMap(other => (other.status?.nodes ?? []).map(({ nodeName }) => [nodeName, keyOf(other)] as const)))
}

function providerOf({ spec }: OpenstackConfig): string | undefined {
	return spec.credentials.k8sProviderID ?? spec.credentials.openstackProviderID
}

function rank(config: OpenstackConfig): string {
	return `${config.metadata.creationTimestamp} ${keyOf(config)}`
}

function keyOf({ metadata }: OpenstackConfig): string {
	return `${metadata.namespace}/${metadata.name}`
}
