import { createHash, timingSafeEqual } from 'node:crypto'
import { Failure } from '../errors.ts'
import type { HttpCode } from '../http-errors.ts'
import type { TokenSource } from '../token-file.ts'
import { type Access, bearerIn, EVERY_PROVIDER, type Grant, isGranted, isJsonWebToken, verbs } from './access.ts'
import { type Client, DEFAULT_CLIENT } from './clients.ts'
import type { KubeReviews, KubeUser } from './kube-reviews.ts'

/** The client that sent a request, and how it authenticated. */
export type Caller = { readonly name: string } & (
	| { readonly how: 'none' | 'token' }
	| { readonly how: 'clients file'; readonly grant: Grant }
	| { readonly how: 'kubernetes'; readonly user: KubeUser }
)

/** Authenticates clients, and decides what they may do. */
export type Auth = {
	/**
	 * Returns whether the token is one of the fixed ones, or was valid at its last review. This is cheap, and not yet an authentication.
	 */
	isKnown(authorization: string | undefined): boolean
	/**
	 * Authenticates the client of an `Authorization` header.
	 *
	 * @throws Failure TOKEN_REFUSED, or AUTH_UNAVAILABLE if a Kubernetes token cannot be verified now
	 */
	signIn(authorization: string | undefined): Promise<Caller>
	/** Returns whether a client has this access to a provider; with `EVERY_PROVIDER`, to what concerns all providers. */
	mayAccess(caller: Caller, access: Access, providerId: string): Promise<boolean>
	/** @throws Failure ACCESS_DENIED that names the client, what it may do, and the provider */
	require(caller: Caller, access: Access, providerId: string): Promise<void>
}

/** The ways to authenticate that are configured. */
export type AuthSources = {
	/** The token of the client `default`, which may do everything. */
	token?: TokenSource | undefined
	clients?: (() => readonly Client[]) | undefined
	kubernetes?: { reviews: KubeReviews; resource: string } | undefined
}

export function createAuth(sources: AuthSources): Auth {
	const mayAccess: Auth['mayAccess'] = async (caller, access, providerId) => {
		if (caller.how === 'clients file') return isGranted(caller.grant, access, providerId)
		if (caller.how === 'kubernetes') return (await sources.kubernetes?.reviews.allows(caller.user, access, providerId)) ?? false
		return true
	}
	return {
		isKnown: authorization => isKnown(sources, bearerIn(authorization)),
		signIn: authorization => signIn(sources, bearerIn(authorization)),
		mayAccess,
		async require(caller, access, providerId) {
			if (!(await mayAccess(caller, access, providerId))) throw denied(caller, wanted(access, providerId), sources)
		},
	}
}

/** Authentication that is switched off: every client may do everything. */
export const noAuth: Auth = {
	isKnown: () => true,
	signIn: async () => ({ name: 'anonymous', how: 'none' }),
	mayAccess: async () => true,
	require: async () => {},
}

function isKnown(sources: AuthSources, sent: string): boolean {
	if (sent === '') return false
	return fixed(sources, sent) !== undefined || (sources.kubernetes?.reviews.wasValid(sent) ?? false)
}

/** Returns the client of a token that the configuration or the clients file contains. */
function fixed({ token, clients }: AuthSources, sent: string): Caller | undefined {
	const digest = digestOf(sent)
	if (token && timingSafeEqual(digest, digestOf(token()))) return { name: DEFAULT_CLIENT, how: 'token' }
	const client = clientOf(clients?.() ?? [], digest)
	return client && { name: client.name, how: 'clients file', grant: client }
}

async function signIn(sources: AuthSources, sent: string): Promise<Caller> {
	if (sent === '') throw new Failure<HttpCode>('TOKEN_REFUSED', 'bearer token required')
	const caller = fixed(sources, sent)
	if (caller) return caller
	const { kubernetes } = sources
	const user = isJsonWebToken(sent) ? await kubernetes?.reviews.identify(sent) : undefined
	if (user) return { name: user.username, how: 'kubernetes', user }
	throw new Failure<HttpCode>('TOKEN_REFUSED', 'the bearer token is invalid')
}

/** Compares the digest with those of all clients, so that the response time reveals nothing about them. */
function clientOf(clients: readonly Client[], digest: Buffer): Client | undefined {
	return clients.filter(({ sha256 }) => timingSafeEqual(Buffer.from(sha256, 'hex'), digest))[0]
}

function digestOf(token: string): Buffer {
	return createHash('sha256').update(token).digest()
}

type Wanted = { access: Access; providerId: string; place: string }

function wanted(access: Access, providerId: string): Wanted {
	return { access, providerId, place: providerId === EVERY_PROVIDER ? 'all providers' : `provider ${providerId}` }
}

function denied(caller: Caller, { access, providerId, place }: Wanted, { kubernetes }: AuthSources): Failure<HttpCode> {
	return new Failure('ACCESS_DENIED', `client ${caller.name} has no ${access} access to ${place}: ${reason()}`)

	function reason(): string {
		if (caller.how === 'clients file') return `the clients file grants ${caller.grant.may} for ${caller.grant.providers.join(', ')}`
		const name = providerId === EVERY_PROVIDER ? '' : ` with the name ${providerId}`
		return `no RBAC rule allows the verb ${verbs[access]} on ${kubernetes?.resource ?? ''}${name}`
	}
}
