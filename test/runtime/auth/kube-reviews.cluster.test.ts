import { sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { MGMT_GROUP } from '../../../contract/names.ts'
import { type ApiServer, startApiServer } from '../../../lab/cluster/api-server.ts'
import { type Access, EVERY_PROVIDER } from '../../../runtime/auth/access.ts'
import { type Auth, createAuth } from '../../../runtime/auth/auth.ts'
import { createKubeReviews } from '../../../runtime/auth/kube-reviews.ts'
import { defineKind, KubeClient, type KubeObject, loadCredentials } from '../../../runtime/kube/index.ts'
import { createLog } from '../../../runtime/log.ts'
import { type ManualTime, manualTime } from '../manual-time.ts'

/** Tokens of service accounts, reviewed by a real API server. Only the ages of the cache are counted by another clock. */

const namespace = 'default'
const core = { group: '', version: 'v1', namespaced: true }
const rbac = { group: 'rbac.authorization.k8s.io', version: 'v1' }
const ServiceAccount = defineKind<KubeObject>({ ...core, plural: 'serviceaccounts', kind: 'ServiceAccount' })
const Role = defineKind<KubeObject & { rules: object[] }>({ ...rbac, plural: 'roles', kind: 'Role', namespaced: true })
const RoleBinding = defineKind<KubeObject & Bound>({ ...rbac, plural: 'rolebindings', kind: 'RoleBinding', namespaced: true })
const ClusterRoleBinding = defineKind<KubeObject & Bound>({
	...rbac,
	plural: 'clusterrolebindings',
	kind: 'ClusterRoleBinding',
	namespaced: false,
})
type Bound = { roleRef: object; subjects: object[] }

/** What an account may do. */
type Rule = { verbs: string[]; resources: string[]; resourceNames?: string[] }

let api: ApiServer
let admin: KubeClient
let reviewer: KubeClient
let clock: ManualTime
let auth: Auth

beforeAll(async () => {
	api = await startApiServer()
	const credentials = await loadCredentials({ kubeconfig: api.kubeconfig }, {})
	admin = new KubeClient(credentials, { fieldManager: 'test' })
	await createAccount('viola', [])
	await admin.apply(ClusterRoleBinding, {
		metadata: { name: 'viola-reviews' },
		...bound('viola', { kind: 'ClusterRole', name: 'system:auth-delegator' }),
	})
	const authorization = `Bearer ${await tokenOf('viola', [])}`
	reviewer = new KubeClient({ ...credentials, headers: async () => ({ authorization }) }, { fieldManager: 'test', retryForMs: 0 })
	await createAccount('mgmt', [
		{ verbs: ['get', 'update'], resources: ['nodeconfigs'], resourceNames: ['biz'] },
		{ verbs: ['get'], resources: ['nodeconfigs'] },
	])
})
afterAll(async () => {
	await Promise.all([admin?.close(), reviewer?.close()])
	await api?.stop()
})
beforeEach(() => {
	clock = manualTime()
	const log = createLog('test', { level: 'silent' })
	const reviews = createKubeReviews(reviewer, { resource: 'nodeconfigs', group: MGMT_GROUP, namespace, log, clock })
	auth = createAuth({ kubernetes: { reviews, resource: 'nodeconfigs' } })
})

function bound(account: string, role: { kind: string; name: string }): Bound {
	return { roleRef: { apiGroup: rbac.group, ...role }, subjects: [{ kind: 'ServiceAccount', namespace, name: account }] }
}

async function createAccount(name: string, rules: Rule[]): Promise<void> {
	await admin.apply(ServiceAccount, { metadata: { namespace, name } })
	await admin.apply(Role, { metadata: { namespace, name }, rules: rules.map(rule => ({ ...rule, apiGroups: [MGMT_GROUP] })) })
	await admin.apply(RoleBinding, { metadata: { namespace, name }, ...bound(name, { kind: 'Role', name }) })
}

async function tokenOf(account: string, audiences = ['multinic']): Promise<string> {
	const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`
	const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { audiences, expirationSeconds: 3_600 } }
	return ((await admin.raw({ method: 'POST', path, body })) as { status: { token: string } }).status.token
}

const signIn = (token: string) => auth.signIn(`Bearer ${token}`)
const refused = expect.objectContaining({ code: 'TOKEN_REFUSED' })
const outcome = (token: string) => signIn(token).catch(error => error)

/** Returns a token that the API server would have issued at another time: the same claims, moved by seconds and signed with its key. */
function moved(token: string, seconds: number): string {
	const [head = '', payload = ''] = token.split('.')
	const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>
	for (const claim of ['exp', 'iat', 'nbf']) claims[claim] = Number(claims[claim]) + seconds
	const text = `${head}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`
	const key = { key: readFileSync(join(dirname(api.kubeconfig), 'sa.key')), dsaEncoding: 'ieee-p1363' as const }
	return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`
}

describe('a token of a service account', () => {
	test('with the audience multinic is accepted', async () => {
		expect(await signIn(await tokenOf('mgmt'))).toMatchObject({ name: `system:serviceaccount:${namespace}:mgmt`, how: 'kubernetes' })
	})

	test('with another audience is refused, so that a token for the API server cannot be used here', async () => {
		for (const audiences of [[], ['other']]) expect(await outcome(await tokenOf('mgmt', audiences))).toEqual(refused)
	})

	test('with a changed signature is refused', async () => {
		const [head, claims] = (await tokenOf('mgmt')).split('.')
		expect(await outcome(`${head}.${claims}.${'A'.repeat(342)}`)).toEqual(refused)
	})

	test.skipIf(process.env.MULTINIC_TEST_K3S)('that has expired is refused', async () => {
		const token = await tokenOf('mgmt')
		expect(await signIn(moved(token, -60))).toMatchObject({ how: 'kubernetes' })
		expect(await outcome(moved(token, -3_700))).toEqual(refused)
	})

	test('of an account that is deleted is refused once the cached answers are old', async () => {
		await createAccount('leaving', [])
		const token = await tokenOf('leaving')
		await signIn(token)
		await admin.delete(ServiceAccount, { namespace, name: 'leaving' })
		clock.pass(29_999)
		expect(await signIn(token)).toMatchObject({ how: 'kubernetes' })
		await expect
			.poll(() => {
				clock.pass(30_000)
				return outcome(token)
			})
			.toEqual(refused)
	})
})

test.each<[sentence: string, access: Access, providerId: string, isAllowed: boolean]>([
	['the verb update on the name of the provider allows writing', 'write', 'biz', true],
	['another name is not allowed', 'write', 'biz-2', false],
	['the verb get without names allows reading every provider', 'read', 'biz-2', true],
	['the verb get without names allows reading what concerns all', 'read', EVERY_PROVIDER, true],
	['names do not allow what concerns all', 'write', EVERY_PROVIDER, false],
	['the verb update does not include manage', 'admin', 'biz', false],
	['a provider id that is not a valid name is not an error', 'write', '../Biz 1', false],
])('of a Role, %s', async (...[, access, providerId, isAllowed]) => {
	const caller = await signIn(await tokenOf('mgmt'))
	expect(await auth.mayAccess(caller, access, providerId)).toBe(isAllowed)
	const required = await auth.require(caller, access, providerId).catch(error => error)
	if (!isAllowed)
		expect(required).toMatchObject({ code: 'ACCESS_DENIED', message: expect.stringContaining('no RBAC rule allows the verb') })
})

test('a rule that is added is used when the negative answer is 10 s old, and one that is removed when the positive is 30 s old', async () => {
	await createAccount('changing', [])
	const caller = await signIn(await tokenOf('changing'))
	const may = () => auth.mayAccess(caller, 'write', 'biz')
	expect(await may()).toBe(false)
	await createAccount('changing', [{ verbs: ['update'], resources: ['nodeconfigs'] }])
	clock.pass(9_999)
	expect(await may()).toBe(false)
	const later = (ms: number) => () => {
		clock.pass(ms)
		return may()
	}
	await expect.poll(later(10_000)).toBe(true) // the API server itself applies the rule a moment later
	await createAccount('changing', [])
	clock.pass(9_999)
	expect(await may()).toBe(true)
	await expect.poll(later(30_000)).toBe(false)
})

test('without the permission to review tokens, a client is not refused, but to try again', async () => {
	const credentials = await loadCredentials({ kubeconfig: api.kubeconfig }, {})
	const authorization = `Bearer ${await tokenOf('mgmt', [])}`
	const client = new KubeClient({ ...credentials, headers: async () => ({ authorization }) }, { fieldManager: 'test', retryForMs: 0 })
	const lines: string[] = []
	const log = createLog('test', { to: { write: line => void lines.push(line) } })
	const reviews = createKubeReviews(client, { resource: 'nodeconfigs', group: MGMT_GROUP, namespace, log })
	await expect(reviews.identify(await tokenOf('mgmt'))).rejects.toMatchObject({ code: 'AUTH_UNAVAILABLE' })
	expect(lines).toEqual([expect.stringContaining('cannot create resource')])
	await client.close()
})

test('while the API server is down, cached answers are used until they are old', async () => {
	const token = await tokenOf('mgmt')
	const caller = await signIn(token)
	expect(await auth.mayAccess(caller, 'write', 'biz')).toBe(true)
	await api.stop()
	clock.pass(29_999)
	expect(await auth.mayAccess(await signIn(token), 'write', 'biz')).toBe(true)
	clock.pass(1)
	expect(await outcome(token)).toMatchObject({ code: 'AUTH_UNAVAILABLE', retry: true })
	await expect(auth.require(caller, 'write', 'biz')).rejects.toMatchObject({ code: 'AUTH_UNAVAILABLE' })
})
