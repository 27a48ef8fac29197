import { randomBytes, randomUUID } from 'node:crypto'
import type { FastifyInstance } from 'fastify'

/** The user that may authenticate, the project, and the URLs of the services. */
export type Realm = {
	user: string
	password: string
	/** Name or id of the user's domain; Keystone's default domain has the id `default` and the name `Default`. */
	domain: string
	projectId: string
	/** Service type (network, compute …) → URL. */
	endpoints(): Record<string, string>
	tokenSeconds: number
}

type Named = { id?: string; name?: string }
type AuthBody = {
	auth?: {
		identity?: { methods?: string[]; password?: { user?: Named & { password?: string; domain?: Named } } }
		scope?: { project?: Named & { domain?: Named } }
	}
}

/** Issued tokens. A test revokes all of them with `clear()`. */
export type Tokens = Map<string, { expiresAt: number }>

/**
 * Serves Keystone's project-scoped password authentication, with the service catalog. All wrong credentials get the same 401, as in the
 * real Keystone.
 */
export function keystoneRoutes(app: FastifyInstance, realm: Realm, tokens: Tokens): void {
	app.post<{ Body: AuthBody }>('/v3/auth/tokens', (request, reply) => {
		const uri = `${request.protocol}://${request.host}${request.url.replace(/\/auth\/tokens.*$/, '')}`
		if (!request.body?.auth?.identity) return reply.code(400).send(malformed)
		if (!isAuthenticated(request.body, realm)) return reply.code(401).header('WWW-Authenticate', `Keystone uri="${uri}"`).send(unauthorized)
		const token = randomBytes(96).toString('base64url')
		const issued = Date.now()
		tokens.set(token, { expiresAt: issued + realm.tokenSeconds * 1000 })
		return reply
			.code(201)
			.header('X-Subject-Token', token)
			.send({ token: tokenBody(realm, issued) })
	})
}

export const unauthorized = { error: { code: 401, message: 'The request you have made requires authentication.', title: 'Unauthorized' } }
const malformed = { error: { code: 400, message: 'Expecting to find identity in auth.', title: 'Bad Request' } }

/** Reports whether the token is known and not expired. */
export function isTokenValid(tokens: Tokens, token: unknown): boolean {
	const known = tokens.get(String(token))
	return known !== undefined && known.expiresAt > Date.now()
}

function isAuthenticated({ auth }: AuthBody, { user: name, password, domain, projectId }: Realm): boolean {
	const user = auth?.identity?.password?.user
	const inDomain = user?.domain?.id === domain || user?.domain?.name?.toLowerCase() === domain.toLowerCase()
	return user?.name === name && user.password === password && inDomain && auth?.scope?.project?.id === projectId
}

function tokenBody({ user, projectId, endpoints, tokenSeconds }: Realm, issued: number) {
	const domain = { id: 'default', name: 'Default' }
	return {
		methods: ['password'],
		user: { domain, id: 'ab'.repeat(16), name: user, password_expires_at: null },
		audit_ids: [randomBytes(16).toString('base64url')],
		expires_at: micro(issued + tokenSeconds * 1000),
		issued_at: micro(issued),
		project: { domain, id: projectId, name: 'lab' },
		is_domain: false,
		roles: [{ id: 'ef'.repeat(16), name: 'member' }],
		catalog: Object.entries(endpoints()).map(([type, url]) => catalogEntry(type, url)),
	}
}

const serviceNames: Record<string, string> = { identity: 'keystone', network: 'neutron', compute: 'nova' }

function catalogEntry(type: string, url: string) {
	const endpoint = (side: string) => ({ id: hex(), interface: side, region_id: 'RegionOne', url, region: 'RegionOne' })
	return { endpoints: ['public', 'internal', 'admin'].map(endpoint), id: hex(), type, name: serviceNames[type] ?? type }
}

function hex(): string {
	return randomUUID().replaceAll('-', '')
}

function micro(at: number): string {
	return new Date(at).toISOString().replace('Z', '000Z')
}
