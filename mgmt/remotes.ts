import type { OpenstackConfigSpec, OpenstackSettings } from '../contract/openstack-config.ts'
import { parseDuration } from '../runtime/env.ts'
import type { Config } from './config.ts'
import { refuse } from './model/failures.ts'
import { chosenEndpoint } from './model/origin.ts'
import type { Contrabass, Endpoints, OpenStack, Remote } from './model/settings.ts'

/** Determines how the remote systems are reached. */

/** Returns how viola is reached; a withdrawal needs nothing else. @throws Failure ConfigError */
export function violaOf({ settings: own = {} }: OpenstackConfigSpec, env: Config): Remote {
	const { trustField, ...trust } = trustOf(own, 'violaInsecureTLS', env.VIOLA_INSECURE_TLS)
	const written = [['spec.settings.violaEndpoint', own.violaEndpoint]] as const
	const endpoint = chosenEndpoint(written, ['VIOLA_ENDPOINT', env.VIOLA_ENDPOINT], trustField)
	if (!endpoint) throw refuse('ConfigError', 'spec.settings.violaEndpoint: required unless VIOLA_ENDPOINT is set')
	return { endpoint, timeoutMs: msOf(own.violaTimeout, env.VIOLA_TIMEOUT), ...trust }
}

/** Returns how Contrabass is reached; undefined if the OpenstackConfig itself has the Keystone login. @throws Failure ConfigError */
export function contrabassOf({ credentials, settings: own = {} }: OpenstackConfigSpec, env: Config): Contrabass | undefined {
	const { authURL, openstackProviderID } = credentials
	if (authURL || !openstackProviderID) return undefined
	const { trustField, ...trust } = trustOf(own, 'contrabassInsecureTLS', env.CONTRABASS_INSECURE_TLS)
	const written = [['spec.settings.contrabassEndpoint', own.contrabassEndpoint]] as const
	const endpoint = chosenEndpoint(written, ['CONTRABASS_ENDPOINT', env.CONTRABASS_ENDPOINT], trustField)
	if (!endpoint) throw refuse('ConfigError', 'spec.settings.contrabassEndpoint: required unless CONTRABASS_ENDPOINT is set')
	return { endpoint, openstackProviderId: openstackProviderID, timeoutMs: msOf(own.contrabassTimeout, env.CONTRABASS_TIMEOUT), ...trust }
}

/** Returns how Keystone, Neutron and Nova are reached. */
export function openstackOf(spec: OpenstackConfigSpec, env: Config): OpenStack {
	const { settings: own = {}, credentials } = spec
	const trust = trustOf(own, 'openstackInsecureTLS', env.OPENSTACK_INSECURE_TLS)
	return {
		...trust,
		timeoutMs: msOf(own.openstackTimeout, env.OPENSTACK_TIMEOUT),
		keystone: chosenEndpoint([['spec.credentials.authURL', credentials.authURL]], undefined, trust.trustField),
		endpoints: endpointsOf(spec, env, trust.trustField),
	}
}

/**
 * Returns which certificates are trusted, and the field of the OpenstackConfig that determines it; no field if the environment does.
 * Turning verification on does not weaken what the environment requires, so such a field is ignored.
 */
function trustOf(own: OpenstackSettings, field: `${string}InsecureTLS` & keyof OpenstackSettings, byDefault: boolean) {
	const insecure = own[field] ?? byDefault
	const trustField = insecure && !byDefault ? `spec.settings.${field}` : own.caBundle && !insecure ? 'spec.settings.caBundle' : undefined
	return { insecure, trustField, ...(own.caBundle && { ca: own.caBundle }) }
}

function endpointsOf({ settings = {}, credentials }: OpenstackConfigSpec, env: Config, trustField: string | undefined): Endpoints {
	const network = chosenEndpoint(
		[
			['spec.settings.openstackNeutronEndpoint', settings.openstackNeutronEndpoint],
			['spec.credentials.networkEndpoint', credentials.networkEndpoint],
		],
		['OPENSTACK_NEUTRON_ENDPOINT', env.OPENSTACK_NEUTRON_ENDPOINT],
		trustField,
	)
	const compute = chosenEndpoint(
		[
			['spec.settings.openstackNovaEndpoint', settings.openstackNovaEndpoint],
			['spec.credentials.computeEndpoint', credentials.computeEndpoint],
		],
		['OPENSTACK_NOVA_ENDPOINT', env.OPENSTACK_NOVA_ENDPOINT],
		trustField,
	)
	return {
		side: settings.openstackEndpointInterface ?? env.OPENSTACK_ENDPOINT_INTERFACE,
		region: settings.openstackEndpointRegion ?? env.OPENSTACK_ENDPOINT_REGION,
		...(network && { network }),
		...(compute && { compute }),
	}
}

/** Returns a duration of the OpenstackConfig in milliseconds, or the default if it is not set. */
export function msOf(own: string | undefined, byDefault: number): number {
	return own === undefined ? byDefault : (parseDuration(own) ?? byDefault)
}
