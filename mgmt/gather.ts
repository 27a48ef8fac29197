import type { OpenstackConfigSpec } from '../contract/openstack-config.ts'
import type { Config } from './config.ts'
import { grantOf } from './disclosure/decide.ts'
import { namedBy } from './model/origin.ts'
import { refuse } from './model/failures.ts'
import type { Clients } from './http-clients.ts'
import type { Login } from './openstack/keystone.ts'
import { readNetworks, readPorts, readSubnets } from './openstack/neutron.ts'
import { readServers } from './openstack/nova.ts'
import { readProvider } from './openstack/provider.ts'
import { openSession } from './openstack/session.ts'
import type { Tokens } from './openstack/tokens.ts'
import type { World } from './plan.ts'
import { isNamed } from './resolve.ts'
import type { Contrabass } from './model/settings.ts'
import type { Secrets } from './secrets.ts'
import type { Viola } from './viola/client.ts'
import type { Settings } from './model/settings.ts'

export type Sources = {
	spec: OpenstackConfigSpec
	env: Pick<Config, 'SECRET_ENDPOINT_HOSTS'>
	settings: Settings
	secrets: Secrets
	http: Clients
	tokens: Tokens
	viola: Viola
}

/** What is known about the OpenstackConfig itself. */
export type Known = Pick<World, 'before' | 'claims' | 'owner' | 'others'>

/** Reads everything that a decision depends on, except the inventory; fails if any part cannot be read. */
export async function gather(sources: Sources, known: Known): Promise<World> {
	const { settings, viola, http, tokens, env } = sources
	const { openstack } = settings
	const inForce = await viola.inForce()
	const means = { http: http.for(openstack), tokens, hosts: env.SECRET_ENDPOINT_HOSTS }
	const session = openSession(await loginOf(sources), openstack, means)
	const earlier = known.before.flatMap(nodeName => inForce.get(nodeName)?.instanceId ?? [])
	const subnets = await readSubnets(session, settings.subnets, settings.projectId)
	const [networks, servers] = await Promise.all([readNetworks(session, subnets), readServers(session, [...settings.vms, ...earlier])])
	const meant = servers.filter(server => isNamed(server, settings.vms))
	const ports = await readPorts(
		session,
		meant.map(({ id }) => id),
	)
	return { settings, servers, subnets, networks, ports, inForce, ...known, remembered: new Map() }
}

/** Returns the login to Keystone from Contrabass, or from the OpenstackConfig itself. */
async function loginOf(sources: Sources): Promise<Login> {
	const { settings, secrets, spec, env } = sources
	if (settings.contrabass) return loginFrom(settings.contrabass, sources)
	const { keystone } = settings.openstack
	const { username: user, domainName: domain = 'default' } = spec.credentials
	if (!keystone || !user) throw refuse('ConfigError', 'spec.credentials.username: needed with authURL')
	const grant = grantOf(await secrets.password(), keystone, env.SECRET_ENDPOINT_HOSTS)
	return { grant, user, domain, projectId: settings.projectId }
}

async function loginFrom(contrabass: Contrabass, { settings, secrets, http, env }: Sources): Promise<Login> {
	const hosts = env.SECRET_ENDPOINT_HOSTS
	const key = grantOf(await secrets.contrabassKey(), contrabass.endpoint, hosts)
	const { url, password, user, domain } = await readProvider(http.for(contrabass), { ...contrabass, key })
	const keystone = namedBy(contrabass.endpoint, 'Keystone', url, settings.openstack.trustField)
	return { grant: grantOf(password, keystone, hosts), user, domain, projectId: settings.projectId }
}
