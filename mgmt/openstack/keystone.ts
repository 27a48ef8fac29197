import * as z from 'zod'
import { listOf } from '../../contract/bounded.ts'
import type { HttpClient } from '../../runtime/http-client.ts'
import { type MgmtReason, refuse } from '../failures.ts'
import type { Endpoints } from '../settings.ts'

export type Login = { url: string; user: string; password: string; domain: string; projectId: string }

const Endpoint = z.object({ interface: z.string(), region: z.string().nullish(), region_id: z.string().nullish(), url: z.string() })
const Catalog = listOf(z.object({ type: z.string(), endpoints: listOf(Endpoint, 200) }), 500)
export type Catalog = z.infer<typeof Catalog>
const TokenBody = z.object({ token: z.object({ expires_at: z.string(), catalog: Catalog }) })

export type Token = { token: string; expiresAtMs: number; catalog: Catalog }

/** Signs in with a password for one project. @throws Failure with an HttpCode, never repeating the password */
export async function signIn(http: HttpClient, login: Login, timeoutMs: number): Promise<Token> {
	const user = { name: login.user, domain: domainOf(login.domain), password: login.password }
	const identity = { methods: ['password'], password: { user } }
	const { headers, body } = await http.call({
		method: 'POST',
		url: `${rootOf(login.url)}/v3/auth/tokens`,
		body: { auth: { identity, scope: { project: { id: login.projectId } } } },
		schema: TokenBody,
		secrets: [login.password],
		timeoutMs,
	})
	const token = headers['x-subject-token']
	if (typeof token !== 'string') throw refuse('KeystoneError', `Keystone at ${new URL(login.url).host} gave no token`)
	return { token, expiresAtMs: Date.parse(body.token.expires_at), catalog: body.token.catalog }
}

/**
 * The URL of a service: an override, or the catalog's one for this interface and region. Nothing else is ever taken instead.
 *
 * @throws Failure NeutronEndpointError or NovaEndpointError naming what the catalog has
 */
export function endpointOf(catalog: Catalog, service: 'network' | 'compute', endpoints: Endpoints): string {
	const override = endpoints[service]
	if (override) return override.replace(/\/+$/, '')
	const all = catalog.filter(({ type }) => type.toLowerCase() === service).flatMap(entry => entry.endpoints)
	const { side, region } = endpoints
	const found = all.find(it => it.interface === side && (region === '' || it.region === region || it.region_id === region))
	if (found) return found.url.replace(/\/+$/, '')
	const has = all.map(it => `${it.interface} in ${it.region_id ?? it.region}`).join(', ') || 'none'
	const reason: MgmtReason = service === 'network' ? 'NeutronEndpointError' : 'NovaEndpointError'
	throw refuse(reason, `the catalog has no ${side} ${service} endpoint${region && ` in ${region}`}; it has: ${has}`)
}

/** Keystone's own domain has the id `default`; it is called `Default`, so a look-up by name would hang on letter case. */
function domainOf(domain: string): { id: string } | { name: string } {
	return domain === 'default' ? { id: domain } : { name: domain }
}

function rootOf(url: string): string {
	return url.replace(/\/+$/, '').replace(/\/v3$/, '')
}
