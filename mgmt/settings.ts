import type { Credentials, OpenstackConfigSpec } from '../contract/openstack-config.ts'
import { parseDuration } from '../runtime/env.ts'
import type { Config } from './config.ts'
import { refuse } from './failures.ts'

/** How one remote system is spoken to. Times in milliseconds. */
export type Remote = { url: string; timeoutMs: number; insecure: boolean; ca?: string }
/** How often OpenStack is asked; times in milliseconds. `downPortLooks`: how many fast polls the same DOWN ports are worth. */
export type Poll = { fastMs: number; slowMs: number; errorMs: number; windowMs: number; downPortLooks: number }
/** Which endpoint of the catalog; an override wins over it. */
export type Endpoints = { side: 'public' | 'internal' | 'admin'; region: string; network?: string; compute?: string }

/** The default of downPortFastRetryMax. */
const DOWN_PORT_LOOKS = 5

/** What one OpenstackConfig is reconciled with: its own settings over the environment's. */
export type Settings = {
	/** What viola routes by. */
	providerId: string
	projectId: string
	vms: readonly string[]
	subnets: { ids: readonly string[] } | { name: string }
	nodeNameKey: string
	/** Upper case; undefined: every status. */
	statuses: ReadonlySet<string> | undefined
	contrabass?: Remote & { openstackProviderId: string }
	openstack: Omit<Remote, 'url'> & { endpoints: Endpoints }
	viola: Remote
	poll: Poll
}

/**
 * Resolves the settings of one OpenstackConfig.
 *
 * @throws Failure ConfigError or SubnetRequired, naming the field
 */
export function settingsOf(spec: OpenstackConfigSpec, env: Config): Settings {
	const own = spec.settings ?? {}
	const vms = [...new Set([...(spec.vmNames ?? []), ...(spec.vmIDs ?? [])])]
	if (vms.length === 0) throw refuse('ConfigError', 'spec.vmNames: names no VM')
	const trust = own.caBundle ? { ca: own.caBundle } : {}
	const contrabass = contrabassOf(spec, env)
	return {
		providerId: providerIdOf(spec.credentials),
		projectId: spec.credentials.projectID,
		vms,
		subnets: subnetsOf(spec),
		nodeNameKey: own.openstackNodeNameMetadataKey ?? '',
		statuses: statusesOf(own.openstackPortAllowedStatuses),
		...(contrabass && { contrabass: { ...contrabass, ...trust } }),
		openstack: {
			...trust,
			timeoutMs: ms(own.openstackTimeout, env.OPENSTACK_TIMEOUT),
			insecure: own.openstackInsecureTLS ?? env.OPENSTACK_INSECURE_TLS,
			endpoints: endpointsOf(spec, env),
		},
		viola: violaOf(spec, env),
		poll: pollOf(spec, env),
	}
}

/** Where viola is; all that is needed to withdraw what was sent. @throws Failure ConfigError */
export function violaOf({ settings: own = {} }: OpenstackConfigSpec, env: Config): Remote {
	const url = own.violaEndpoint ?? env.VIOLA_ENDPOINT
	if (!url) throw refuse('ConfigError', 'spec.settings.violaEndpoint: neither it nor VIOLA_ENDPOINT is set')
	return {
		url: trimmed(url),
		timeoutMs: ms(own.violaTimeout, env.VIOLA_TIMEOUT),
		insecure: own.violaInsecureTLS ?? env.VIOLA_INSECURE_TLS,
		...(own.caBundle && { ca: own.caBundle }),
	}
}

/** k8sProviderID names the biz cluster; the older documents have only the OpenStack provider's. @throws Failure ConfigError without either */
export function providerIdOf({ k8sProviderID, openstackProviderID }: Credentials): string {
	const id = k8sProviderID ?? openstackProviderID
	if (!id) throw refuse('ConfigError', 'spec.credentials.k8sProviderID: needed to know which biz cluster is meant')
	return id
}

/** What works, but should be written otherwise. */
export function warningsOf({ credentials, settings }: OpenstackConfigSpec): string[] {
	const readable = 'is deprecated, for whoever may read the OpenstackConfig may read it: use'
	return [
		...(credentials.password === undefined ? [] : [`spec.credentials.password ${readable} passwordSecretRef`]),
		...(settings?.contrabassEncryptKey === undefined
			? []
			: [`spec.settings.contrabassEncryptKey ${readable} secrets.contrabassEncryptKeySecretRef`]),
	]
}

function contrabassOf({ credentials, settings: own = {} }: OpenstackConfigSpec, env: Config): Settings['contrabass'] {
	const { authURL, openstackProviderID } = credentials
	if (authURL || !openstackProviderID) return undefined
	const url = own.contrabassEndpoint ?? env.CONTRABASS_ENDPOINT
	if (!url) throw refuse('ConfigError', 'spec.settings.contrabassEndpoint: neither it nor CONTRABASS_ENDPOINT is set')
	return {
		url: trimmed(url),
		openstackProviderId: openstackProviderID,
		timeoutMs: ms(own.contrabassTimeout, env.CONTRABASS_TIMEOUT),
		insecure: own.contrabassInsecureTLS ?? env.CONTRABASS_INSECURE_TLS,
	}
}

function subnetsOf({ subnetIDs, subnetID, subnetName }: OpenstackConfigSpec): Settings['subnets'] {
	if (subnetIDs?.length) return { ids: [...new Set(subnetIDs)] }
	if (subnetID) return { ids: [subnetID] }
	if (subnetName) return { name: subnetName }
	throw refuse('SubnetRequired', 'spec.subnetIDs: names no subnet')
}

/** ACTIVE and DOWN by default: a port is DOWN until it is plugged, and with some drivers stays so. `*` or nothing: no filter. */
function statusesOf(allowed: readonly string[] = ['ACTIVE', 'DOWN']): Settings['statuses'] {
	const named = allowed.map(status => status.trim().toUpperCase()).filter(status => status !== '')
	return named.length === 0 || named.includes('*') ? undefined : new Set(named)
}

function endpointsOf({ settings = {}, credentials }: OpenstackConfigSpec, env: Config): Endpoints {
	const network = settings.openstackNeutronEndpoint ?? credentials.networkEndpoint ?? env.OPENSTACK_NEUTRON_ENDPOINT
	const compute = settings.openstackNovaEndpoint ?? credentials.computeEndpoint ?? env.OPENSTACK_NOVA_ENDPOINT
	return {
		side: settings.openstackEndpointInterface ?? env.OPENSTACK_ENDPOINT_INTERFACE,
		region: settings.openstackEndpointRegion ?? env.OPENSTACK_ENDPOINT_REGION,
		...(network && { network }),
		...(compute && { compute }),
	}
}

/** How often it is looked at. Never faster than 100 ms, and never slower when it should be fast. */
export function pollOf({ settings: own = {} }: OpenstackConfigSpec, env: Config): Poll {
	const fastMs = Math.max(100, ms(own.pollFastInterval, env.POLL_FAST_INTERVAL))
	return {
		fastMs,
		slowMs: Math.max(fastMs, ms(own.pollSlowInterval, env.POLL_SLOW_INTERVAL)),
		errorMs: Math.max(100, ms(own.pollErrorInterval, env.POLL_ERROR_INTERVAL)),
		windowMs: ms(own.pollFastWindow, env.POLL_FAST_WINDOW),
		downPortLooks: own.downPortFastRetryMax ?? DOWN_PORT_LOOKS,
	}
}

function ms(own: string | undefined, byDefault: number): number {
	return own === undefined ? byDefault : (parseDuration(own) ?? byDefault)
}

function trimmed(url: string): string {
	return url.replace(/\/+$/, '')
}
