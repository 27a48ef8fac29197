import type { OpenstackConfigSpec } from '../contract/openstack-config.ts'
import { refuse } from './failures.ts'
import type { HttpClients } from './http-clients.ts'
import type { Login } from './openstack/keystone.ts'
import { readNetworks, readPorts, readSubnets } from './openstack/neutron.ts'
import { readServers } from './openstack/nova.ts'
import { readProvider } from './openstack/provider.ts'
import { openSession } from './openstack/session.ts'
import type { Tokens } from './openstack/tokens.ts'
import type { World } from './plan.ts'
import { isNamed } from './resolve.ts'
import type { Secrets } from './secrets.ts'
import type { Viola } from './send.ts'
import type { Settings } from './settings.ts'

export type Sources = { spec: OpenstackConfigSpec; settings: Settings; secrets: Secrets; http: HttpClients; tokens: Tokens; viola: Viola }

/**
 * Reads everything a decision looks at, completely or not at all.
 *
 * @throws Failure with the MgmtReason of the first read that failed
 */
export async function gather(sources: Sources, before: readonly string[], claims: World['claims']): Promise<World> {
	const { settings, viola, http, tokens } = sources
	const inForce = await viola.inForce()
	const session = openSession(http.for(settings.openstack), await loginOf(sources), settings.openstack, tokens)
	const earlier = before.flatMap(nodeName => inForce.get(nodeName)?.instanceId ?? [])
	const subnets = await readSubnets(session, settings.subnets, settings.projectId)
	const [networks, servers] = await Promise.all([readNetworks(session, subnets), readServers(session, [...settings.vms, ...earlier])])
	const meant = servers.filter(server => isNamed(server, settings.vms))
	const ports = await readPorts(
		session,
		meant.map(({ id }) => id),
	)
	return { settings, servers, subnets, networks, ports, inForce, before, claims }
}

/** From Contrabass, or from the OpenstackConfig itself. */
async function loginOf({ spec, settings, secrets, http }: Sources): Promise<Login> {
	const { projectId, contrabass } = settings
	if (contrabass) return { ...(await readProvider(http.for(contrabass), contrabass, await secrets.contrabassKey())), projectId }
	const { authURL: url, username: user, domainName: domain = 'default' } = spec.credentials
	if (!url || !user) throw refuse('ConfigError', 'spec.credentials.username: needed with authURL')
	return { url, user, domain, password: await secrets.password(), projectId }
}
