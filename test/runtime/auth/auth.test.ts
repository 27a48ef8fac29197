import { createHash } from 'node:crypto'
import { afterAll, expect, test } from 'vitest'
import { type Access, EVERY_PROVIDER } from '../../../runtime/auth/access.ts'
import { type AuthSources, createAuth, noAuth } from '../../../runtime/auth/auth.ts'
import { createKubeReviews } from '../../../runtime/auth/kube-reviews.ts'
import { KubeClient } from '../../../runtime/kube/index.ts'
import { createLog } from '../../../runtime/log.ts'
import { manualTime } from '../manual-time.ts'

const jwt = 'eyJh.eyJp.c2ln'
const sha256 = (token: string) => createHash('sha256').update(token).digest('hex')
const clients = [
	{ name: 'grafana', sha256: sha256('read-token'), may: 'read' as const, providers: ['biz', 'biz-2'] },
	{ name: 'other', sha256: sha256(jwt), may: 'write' as const, providers: ['*'] },
]

/** An API server that does not exist. */
const nowhere = new KubeClient(
	{ server: 'https://127.0.0.1:1', tls: {}, headers: async () => ({}) },
	{ fieldManager: 'test', retryForMs: 0 },
)
const lines: Record<string, unknown>[] = []
const log = createLog('test', { to: { write: line => void lines.push(JSON.parse(line)) } })
const clock = manualTime()
const kubernetes = {
	resource: 'nodeconfigs',
	reviews: createKubeReviews(nowhere, { resource: 'nodeconfigs', group: 'g', namespace: 'n', log, clock }),
}
const all: AuthSources = { token: () => 'the-token', clients: () => clients, kubernetes }
afterAll(() => nowhere.close())

test.each<[sentence: string, sources: AuthSources, token: string | undefined, outcome: object]>([
	['the token of the environment is the client default', all, 'the-token', { name: 'default', how: 'token' }],
	['a token of the clients file is its client', all, 'read-token', { name: 'grafana', how: 'clients file' }],
	['a token of the clients file may be a JSON Web Token', all, jwt, { name: 'other', how: 'clients file' }],
	['no token is refused', all, undefined, { code: 'TOKEN_REFUSED', message: 'bearer token required' }],
	['an unknown token is refused', all, 'wrong', { code: 'TOKEN_REFUSED', message: 'the bearer token is invalid' }],
	['a digest is not a token', all, sha256('read-token'), { code: 'TOKEN_REFUSED' }],
	['without a clients file, its tokens are refused', { token: () => 'the-token' }, 'read-token', { code: 'TOKEN_REFUSED' }],
	['without Kubernetes, its tokens are refused', { clients: () => [] }, jwt, { code: 'TOKEN_REFUSED' }],
	['an empty token in the environment does not match', { token: () => '' }, '', { code: 'TOKEN_REFUSED' }],
	[
		'a Kubernetes token that cannot be verified is not refused, but to be sent again',
		{ ...all, clients: () => [] },
		jwt,
		{ code: 'AUTH_UNAVAILABLE', retry: true, facts: { retryAfterMs: 5_000 }, message: expect.not.stringContaining('127.0.0.1') },
	],
])('%s', async (_, sources, token, outcome) => {
	const answer = await createAuth(sources)
		.signIn(token === undefined ? undefined : `Bearer ${token}`)
		.catch(error => error)
	expect(answer).toMatchObject(outcome)
})

test('while the API server does not answer, the other clients are served, and one warning per minute is logged', async () => {
	clock.pass(60_000)
	lines.length = 0
	const auth = createAuth({ ...all, clients: () => clients.slice(0, 1) })
	for (let second = 0; second < 61; second++) {
		await expect(auth.signIn(`Bearer ${jwt}`)).rejects.toMatchObject({ code: 'AUTH_UNAVAILABLE' })
		clock.pass(1_000)
	}
	expect((await auth.signIn('Bearer read-token')).name).toBe('grafana')
	expect(lines.map(({ level, kind }) => [level, kind])).toEqual(Array(2).fill(['warn', 'TokenReview']))
	expect(JSON.stringify(lines)).not.toContain(jwt)
})

test('a client that is removed from the file is refused', async () => {
	let now = clients
	const auth = createAuth({ clients: () => now })
	expect((await auth.signIn('Bearer read-token')).name).toBe('grafana')
	now = []
	await expect(auth.signIn('Bearer read-token')).rejects.toMatchObject({ code: 'TOKEN_REFUSED' })
})

test.each<[sentence: string, token: string, access: Access, providerId: string, words: string | undefined]>([
	['the client default may do everything', 'the-token', 'admin', EVERY_PROVIDER, undefined],
	['a client may do what the file grants', 'read-token', 'read', 'biz-2', undefined],
	[
		'a client may not do more, and the message names client, grant and provider',
		'read-token',
		'write',
		'biz',
		'client grafana has no write access to provider biz: the clients file grants read for biz, biz-2',
	],
	['a client may not access other providers', 'read-token', 'read', 'biz-3', 'client grafana has no read access to provider biz-3'],
	['the message names all providers', 'read-token', 'read', EVERY_PROVIDER, 'has no read access to all providers'],
])('%s', async (...[, token, access, providerId, words]) => {
	const auth = createAuth(all)
	const caller = await auth.signIn(`Bearer ${token}`)
	const required = await auth.require(caller, access, providerId).catch(error => error)
	expect(await auth.mayAccess(caller, access, providerId)).toBe(words === undefined)
	if (words === undefined) expect(required).toBeUndefined()
	else expect(required).toMatchObject({ code: 'ACCESS_DENIED', message: expect.stringContaining(words) })
})

test('with authentication switched off, a client without a token may do everything', async () => {
	const caller = await noAuth.signIn(undefined)
	expect(caller).toEqual({ name: 'anonymous', how: 'none' })
	expect(await noAuth.mayAccess(caller, 'admin', EVERY_PROVIDER)).toBe(true)
})
