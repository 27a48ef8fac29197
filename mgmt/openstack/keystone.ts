import * as z from 'zod'
import { listOf } from '../../contract/bounded.ts'
import type { HttpClient } from '../../runtime/http-client.ts'
import { createGrantedClient } from '../disclosure/client.ts'
import type { Grant } from '../disclosure/decide.ts'
import { type MgmtReason, refuse } from '../model/failures.ts'
import type { Endpoints } from '../model/settings.ts'
import { RemoteUrl, Word } from './word.ts'

/** A login to Keystone. `grant`: the password, for Keystone's endpoint. */
export type Login = { grant: Grant; user: string; domain: string; projectId: string }

const Endpoint = z.object({ interface: Word, region: Word.nullish(), region_id: Word.nullish(), url: RemoteUrl })
const Catalog = listOf(z.object({ type: Word, endpoints: listOf(Endpoint, 200) }), 500)
export type Catalog = z.infer<typeof Catalog>
const Moment = z.string().refine(text => !Number.isNaN(Date.parse(text)), 'must be a time')
const TokenBody = z.object({ token: z.object({ expires_at: Moment, catalog: Catalog }) })

export type Token = { token: string; expiresAtMs: number; catalog: Catalog }

/** Signs in to one project with a password. @throws Failure with an HttpCode, never containing the password */
export async function signIn(http: HttpClient, login: Login, timeoutMs: number): Promise<Token> {
	const { url } = login.grant.endpoint
	const { headers, body } = await createGrantedClient(http, login.grant).call({
		method: 'POST',
		path: url.endsWith('/v3') ? '/auth/tokens' : '/v3/auth/tokens',
		body: password => authOf(login, password),
		schema: TokenBody,
		timeoutMs,
	})
	const token = headers['x-subject-token']
	if (typeof token !== 'string') throw refuse('KeystoneError', `Keystone at ${new URL(url).host} returned no token`)
	const catalog = body.token.catalog.filter(({ type }) => isUsed(type)) // the catalog is kept as long as the token
	return { token, expiresAtMs: Date.parse(body.token.expires_at), catalog }
}

function authOf({ user: name, domain, projectId }: Login, password: string) {
	const user = { name, domain: domainOf(domain), password }
	return { auth: { identity: { methods: ['password'], password: { user } }, scope: { project: { id: projectId } } } }
}

/**
 * Returns the URL of a service in the catalog with this interface and region. There is no fallback to another endpoint.
 *
 * @throws Failure NeutronEndpointError or NovaEndpointError that lists the endpoints in the catalog
 */
export function endpointOf(catalog: Catalog, service: 'network' | 'compute', { side, region }: Pick<Endpoints, 'side' | 'region'>): string {
	const all = catalog.filter(({ type }) => type.toLowerCase() === service).flatMap(entry => entry.endpoints)
	const found = all.find(it => it.interface === side && (region === '' || it.region === region || it.region_id === region))
	if (found) return found.url
	const has = all.slice(0, TOLD).map(it => `${it.interface} in ${it.region_id ?? it.region}`)
	const reason: MgmtReason = service === 'network' ? 'NeutronEndpointError' : 'NovaEndpointError'
	throw refuse(reason, `the catalog has no ${side} ${service} endpoint${region && ` in ${region}`}; it has: ${has.join(', ') || 'none'}`)
}

/** Maximum number of catalog endpoints in an error message. */
const TOLD = 20

function isUsed(type: string): boolean {
	return ['network', 'compute'].includes(type.toLowerCase())
}

/** Selects the default domain by id: its id is `default` and its name is `Default`, so a lookup by name would depend on letter case. */
function domainOf(domain: string): { id: string } | { name: string } {
	return domain === 'default' ? { id: domain } : { name: domain }
}
