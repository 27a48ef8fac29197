import { type Credentials, NODES_MAX, type OpenstackConfigSpec } from '../contract/openstack-config.ts'
import type { Config } from './config.ts'
import { refuse } from './model/failures.ts'
import type { Poll, Settings } from './model/settings.ts'
import { contrabassOf, msOf, openstackOf, violaOf } from './remotes.ts'

/** The default of downPortFastRetryMax. */
const DOWN_PORT_LOOKS = 5

/**
 * Resolves the settings of one OpenstackConfig.
 *
 * @throws Failure ConfigError or SubnetRequired; the message names the field
 */
export function settingsOf(spec: OpenstackConfigSpec, env: Config): Settings {
	const own = spec.settings ?? {}
	const vms = [...new Set([...(spec.vmNames ?? []), ...(spec.vmIDs ?? [])])]
	if (vms.length === 0) throw refuse('ConfigError', 'spec.vmNames: must name at least one VM')
	if (vms.length > NODES_MAX)
		throw refuse(
			'ConfigError',
			`spec.vmNames, spec.vmIDs: name ${vms.length} VMs, and at most ${NODES_MAX} are allowed in one OpenstackConfig`,
		)
	const contrabass = contrabassOf(spec, env)
	return {
		providerId: providerOf(spec.credentials).providerId,
		projectId: spec.credentials.projectID,
		vms,
		subnets: subnetsOf(spec),
		nodeNameKey: own.openstackNodeNameMetadataKey ?? '',
		statuses: statusesOf(own.openstackPortAllowedStatuses),
		...(contrabass && { contrabass }),
		openstack: openstackOf(spec, env),
		viola: violaOf(spec, env),
		poll: pollOf(spec, env),
	}
}

/**
 * Returns the id of the biz cluster: k8sProviderID, or the id of the OpenStack provider, because older manifests contain only that.
 *
 * @returns the id, and the field that contains it
 * @throws Failure ConfigError if neither is set
 */
export function providerOf({ k8sProviderID, openstackProviderID }: Credentials): { providerId: string; field: string } {
	if (k8sProviderID) return { providerId: k8sProviderID, field: 'spec.credentials.k8sProviderID' }
	if (openstackProviderID) return { providerId: openstackProviderID, field: 'spec.credentials.openstackProviderID' }
	throw refuse('ConfigError', 'spec.credentials.k8sProviderID: required to identify the biz cluster')
}

/** Returns warnings about fields that work but are deprecated. */
export function warningsOf({ credentials, settings }: OpenstackConfigSpec): string[] {
	const readable = 'is deprecated because it is readable with the OpenstackConfig: use'
	return [
		...(credentials.password === undefined ? [] : [`spec.credentials.password ${readable} passwordSecretRef`]),
		...(settings?.contrabassEncryptKey === undefined
			? []
			: [`spec.settings.contrabassEncryptKey ${readable} secrets.contrabassEncryptKeySecretRef`]),
	]
}

function subnetsOf({ subnetIDs, subnetID, subnetName }: OpenstackConfigSpec): Settings['subnets'] {
	if (subnetIDs?.length) return { ids: [...new Set(subnetIDs)] }
	if (subnetID) return { ids: [subnetID] }
	if (subnetName) return { name: subnetName }
	throw refuse('SubnetRequired', 'spec.subnetIDs: must name at least one subnet')
}

/**
 * Allows ACTIVE and DOWN by default: a port is DOWN until it is plugged, and with some drivers it remains DOWN. `*` or an empty list allows
 * every status.
 */
function statusesOf(allowed: readonly string[] = ['ACTIVE', 'DOWN']): Settings['statuses'] {
	const named = allowed.map(status => status.trim().toUpperCase()).filter(status => status !== '')
	return named.length === 0 || named.includes('*') ? undefined : new Set(named)
}

/**
 * The shortest intervals that are allowed (milliseconds). An author shares the systems of the environment with other authors, so the limit
 * is higher than for the operator of mgmt.
 */
const FASTEST = { ofAuthor: 1_000, ofEnvironment: 100 }

function interval(own: string | undefined, byDefault: number): number {
	return Math.max(own === undefined ? FASTEST.ofEnvironment : FASTEST.ofAuthor, msOf(own, byDefault))
}

/** Returns how often OpenStack is polled; the slow interval is never shorter than the fast one. */
export function pollOf({ settings: own = {} }: OpenstackConfigSpec, env: Config): Poll {
	const fastMs = interval(own.pollFastInterval, env.POLL_FAST_INTERVAL)
	return {
		fastMs,
		slowMs: Math.max(fastMs, interval(own.pollSlowInterval, env.POLL_SLOW_INTERVAL)),
		errorMs: interval(own.pollErrorInterval, env.POLL_ERROR_INTERVAL),
		windowMs: msOf(own.pollFastWindow, env.POLL_FAST_WINDOW),
		downPortLooks: own.downPortFastRetryMax ?? DOWN_PORT_LOOKS,
	}
}
