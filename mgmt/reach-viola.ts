import type { OpenstackConfigSpec } from '../contract/openstack-config.ts'
import type { Config } from './config.ts'
import { createGrantedClient } from './disclosure/client.ts'
import { type Grant, grantOf } from './disclosure/decide.ts'
import { providerRefusal } from './disclosure/providers.ts'
import type { Clients } from './http-clients.ts'
import type { OpenstackConfig } from './kind.ts'
import { refuse } from './model/failures.ts'
import type { Remote } from './model/settings.ts'
import { violaOf } from './remotes.ts'
import type { Secrets } from './secrets.ts'
import { providerOf } from './settings.ts'
import { createViola, type Viola } from './viola/client.ts'
import { patient } from './viola/patient.ts'

/** How viola is reached for one OpenstackConfig, and the biz cluster that is meant. */
export type ViolaRoute = { remote: Remote; providerId: string; grant: Grant }

/** Determines how viola is reached. @throws Failure SecretWithheld or ProviderNotAllowed, before anything is sent */
export async function routeToViola(
	{ metadata }: OpenstackConfig,
	spec: OpenstackConfigSpec,
	env: Config,
	secrets: Secrets,
): Promise<ViolaRoute> {
	const remote = violaOf(spec, env)
	const provider = providerOf(spec.credentials)
	const token = await secrets.violaToken()
	const refusal = providerRefusal({ token, namespace: metadata.namespace ?? '', ...provider, allowed: env.VIOLA_ALLOWED_PROVIDERS })
	if (refusal) throw refuse('ProviderNotAllowed', refusal)
	return { remote, providerId: provider.providerId, grant: grantOf(token, remote.endpoint, env.SECRET_ENDPOINT_HOSTS) }
}

/** Creates the client of viola for one reconcile. */
export function violaAt({ remote, providerId, grant }: ViolaRoute, http: Clients, mayWrite: () => boolean): Viola {
	const client = patient(createGrantedClient(http.for(remote), grant), http.signal)
	return createViola(client, { providerId, timeoutMs: remote.timeoutMs, mayWrite })
}
