import type * as z from 'zod'
import { isFailure } from '../../runtime/errors.ts'
import type { HttpClient } from '../../runtime/http-client.ts'
import { createGrantedClient, type GrantedClient } from '../disclosure/client.ts'
import { createSecret, grantOf, refuseUnlessGranted } from '../disclosure/decide.ts'
import type { AllowedHost } from '../disclosure/hosts.ts'
import { namedBy } from '../model/origin.ts'
import type { OpenStack } from '../model/settings.ts'
import { endpointOf, type Login, type Token } from './keystone.ts'
import type { Tokens } from './tokens.ts'

type ServiceType = 'network' | 'compute'
const services = ['network', 'compute'] as const satisfies ServiceType[]
const names = { network: 'Neutron', compute: 'Nova' } as const

/** Authenticated reads of one project. */
export type Session = {
	/**
	 * @param path relative to the endpoint, with its query @throws Failure with an HttpCode, or a MgmtReason if the request could not be
	 *   sent
	 */
	get<T>(service: ServiceType, path: `/${string}`, schema: z.ZodType<T>): Promise<T>
}

/** What a session needs in addition to its settings. `hosts`: the hosts to which every secret may be sent. */
export type Means = { http: HttpClient; tokens: Tokens; hosts: readonly AllowedHost[] }

/**
 * Opens a session without sending a request. The first read signs in unless a valid token exists; a token that OpenStack rejects is
 * replaced once.
 *
 * @throws Failure SecretWithheld if the token may not be sent to an endpoint of the settings
 */
export function openSession(login: Login, openstack: OpenStack, { http, tokens, hosts }: Means): Session {
	const { timeoutMs, endpoints, trustField } = openstack
	const { secret: password, endpoint: keystone } = login.grant
	const origin = { source: password.source, field: password.field }
	for (const endpoint of services.flatMap(service => endpoints[service] ?? []))
		refuseUnlessGranted({ ...origin, name: 'Keystone token' }, endpoint, hosts)
	const clientFor = (service: ServiceType, { token, catalog }: Token): GrantedClient => {
		const inCatalog = () => namedBy(keystone, names[service], endpointOf(catalog, service, endpoints), trustField)
		return createGrantedClient(http, grantOf(createSecret('Keystone token', origin, token), endpoints[service] ?? inCatalog(), hosts))
	}
	const call = async <T>(token: Token, { service, path, schema }: Read<T>): Promise<T> => {
		const client = clientFor(service, token)
		const headers = (token: string) => ({ 'X-Auth-Token': token, ...versionOf(service) })
		return (await client.call({ path: versioned(service, client.grant.endpoint.url, path), headers, schema, timeoutMs })).body
	}
	return {
		async get(service, path, schema) {
			const token = await tokens.get(http, login, timeoutMs)
			try {
				return await call(token, { service, path, schema })
			} catch (error) {
				if (!isFailure(error, 'UNAUTHORIZED')) throw error
				await tokens.drop(login, token.token) // revoked, or expired early: sign in again, once
				return call(await tokens.get(http, login, timeoutMs), { service, path, schema })
			}
		},
	}
}

type Read<T> = { service: ServiceType; path: `/${string}`; schema: z.ZodType<T> }

/**
 * Requests the latest API version of Nova, which lists servers of a cell that is down; in the oldest version, they are missing from the
 * list.
 */
function versionOf(service: ServiceType): Readonly<Record<string, string>> {
	return service === 'compute' ? { 'OpenStack-API-Version': 'compute latest' } : {}
}

/** Adds the version to a path of Neutron, unless the URL in the catalog already ends with it. */
function versioned(service: ServiceType, url: string, path: `/${string}`): `/${string}` {
	return service === 'network' && !url.endsWith('/v2.0') ? `/v2.0${path}` : path
}
