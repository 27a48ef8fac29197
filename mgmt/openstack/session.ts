import type * as z from 'zod'
import { isFailure } from '../../runtime/errors.ts'
import type { HttpClient } from '../../runtime/http-client.ts'
import type { Settings } from '../settings.ts'
import { endpointOf, type Login, type Token } from './keystone.ts'
import type { Tokens } from './tokens.ts'

type ServiceType = 'network' | 'compute'

/** Signed-in reads of one project. */
export type Session = {
	/** @param path below the endpoint, with its query @throws Failure with an HttpCode, or a MgmtReason where the way there was barred */
	get<T>(service: ServiceType, path: string, schema: z.ZodType<T>): Promise<T>
}

/** Nothing is asked before the first read, which signs in if no token holds; a token that OpenStack refuses is replaced once. */
export function openSession(http: HttpClient, login: Login, openstack: Settings['openstack'], tokens: Tokens): Session {
	const { timeoutMs, endpoints } = openstack
	const signedIn = () => tokens.get(http, login, timeoutMs)
	const call = async <T>({ token, catalog }: Token, { service, path, schema }: Read<T>): Promise<T> => {
		const url = baseOf(service, endpointOf(catalog, service, endpoints)) + path
		// at the latest version Nova shows servers of a cell that is down; at the oldest they vanish from the list
		const headers = { 'X-Auth-Token': token, ...(service === 'compute' && { 'OpenStack-API-Version': 'compute latest' }) }
		return (await http.call({ url, headers, schema, timeoutMs })).body
	}
	return {
		async get(service, path, schema) {
			const token = await signedIn()
			try {
				return await call(token, { service, path, schema })
			} catch (error) {
				if (!isFailure(error, 'UNAUTHORIZED')) throw error
				await tokens.drop(login, token.token) // revoked, or ended early: signed in anew, once
				return call(await signedIn(), { service, path, schema })
			}
		},
	}
}

type Read<T> = { service: ServiceType; path: string; schema: z.ZodType<T> }

/** Neutron's catalog URL comes with and without its version. */
function baseOf(service: ServiceType, endpoint: string): string {
	return service === 'network' ? `${endpoint.replace(/\/v2\.0$/, '')}/v2.0` : endpoint
}
