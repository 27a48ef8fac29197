import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Condition } from '../../../contract/conditions.ts'
import { encrypt } from '../../../lab/openstack/contrabass.ts'
import { type Openstack, startOpenstack } from '../../../lab/openstack/server.ts'
import { readConfig } from '../../../mgmt/config.ts'
import { createHttpClients } from '../../../mgmt/http-clients.ts'
import { type OpenstackConfig, OpenstackConfigKind } from '../../../mgmt/kind.ts'
import { createTokens } from '../../../mgmt/openstack/tokens.ts'
import { reconcileOpenstackConfig } from '../../../mgmt/reconcile.ts'
import { systemClock } from '../../../runtime/clock.ts'
import { KubeClient } from '../../../runtime/kube/client.ts'
import { Namespace, Secret } from '../../../runtime/kube/kinds.ts'
import { createLog } from '../../../runtime/log.ts'
import { type FakeApiServer, startFakeApiServer } from '../../runtime/fake-api-server/server.ts'
import { everySystem, type Recorder, redirectTo, startRecorder } from './recorder.ts'
import { leadingWithoutInventory } from '../leading.ts'

/** Whole reconciles over real connections. The author of the OpenstackConfig has a server that would accept every secret. */

const namespace = 'team-a'
const violaToken = 'viola-token-of-the-environment'
const ownToken = 'viola-token-of-the-namespace'
let api: FakeApiServer
let client: KubeClient
let openstack: Openstack
/** `author` belongs to the author. `viola` and `other` are hosts in the environment or in its list. */
let author: Recorder
let viola: Recorder
let other: Recorder
const logged: string[] = []
let count = 0

beforeAll(async () => {
	api = await startFakeApiServer({ kinds: [{ ...OpenstackConfigKind, status: true }] })
	client = new KubeClient(api.credentials, { fieldManager: 'test' })
	openstack = await startOpenstack({ networks: [{ name: 'test', cidr: '10.0.0.0/24' }], servers: [{ name: 'worker-1' }] })
	const secrets = { token: ownToken, key: openstack.encryptKey, password: openstack.password }
	const data = Object.fromEntries(Object.entries(secrets).map(([key, value]) => [key, Buffer.from(value).toString('base64')]))
	api.objects.create(Namespace, { metadata: { name: namespace } })
	api.objects.create(Secret, { metadata: { namespace, name: 'own' }, data })
})
beforeEach(async () => {
	const sealed = encrypt(openstack.password, openstack.encryptKey)
	;[author, viola, other] = (await Promise.all([sealed, sealed, sealed].map(startRecorder))) as [Recorder, Recorder, Recorder]
	return () => Promise.all([author, viola, other].map(it => it.stop()))
})
afterAll(async () => {
	await client?.close()
	await openstack?.stop()
	await api?.stop()
})

type Written = { env?: Record<string, string>; settings?: object; credentials?: object; secrets?: object; signal?: AbortSignal }

/** Reconciles one new OpenstackConfig once. @returns its condition Ready */
async function ready({
	env,
	settings,
	credentials,
	secrets,
	signal = new AbortController().signal,
}: Written): Promise<Condition | undefined> {
	const { contrabassUrl: CONTRABASS_ENDPOINT, encryptKey: CONTRABASS_ENCRYPT_KEY, providerId, projectId: projectID } = openstack
	const usual = { CONTRABASS_ENDPOINT, CONTRABASS_ENCRYPT_KEY, VIOLA_ENDPOINT: viola.url, VIOLA_TOKEN: violaToken }
	const at = { namespace, name: `config-${count++}` }
	const named = { openstackProviderID: providerId, k8sProviderID: 'biz-1', projectID, ...credentials }
	const spec = { vmNames: ['worker-1'], subnetName: 'test', credentials: named, ...(settings && { settings }), ...(secrets && { secrets }) }
	api.objects.create(OpenstackConfigKind, { metadata: at, spec } as OpenstackConfig)
	const log = createLog('mgmt', { level: 'trace', to: { write: (line: string) => void logged.push(line) } })
	const http = createHttpClients(log)
	const tokens = createTokens(systemClock)
	const mgmt = { client, all: () => [], env: readConfig({ ...usual, ...env }), http, tokens, log, clock: systemClock, chance: () => 0 }
	await reconcileOpenstackConfig({ ...mgmt, ...leadingWithoutInventory(log) })(`${at.namespace}/${at.name}`, signal)
	await http.close()
	return api.objects.get(OpenstackConfigKind, at)?.status?.conditions?.find(({ type }) => type === 'Ready')
}

const own = (name: string, key: string) => ({ [name]: { name: 'own', key } })
const withheld = (field: string, secret: string) =>
	new RegExp(`^${field}: host ${author.host} is not in SECRET_ENDPOINT_HOSTS, and the ${secret} comes from the environment of mg`)

test('with all endpoints and secrets from the environment, everything is sent', async () => {
	expect(await ready({})).toMatchObject({ status: 'True', reason: 'NoChange' })
	expect(viola.heard.join()).toContain(`Bearer ${violaToken}`)
})

describe('no request is sent to an endpoint that the author chose', () => {
	test.each<[secret: string, written: () => Written, field: string]>([
		['viola token', () => ({ settings: { violaEndpoint: author.url } }), 'spec.settings.violaEndpoint'],
		['Contrabass encryption key', () => ({ settings: { contrabassEndpoint: author.url } }), 'spec.settings.contrabassEndpoint'],
		[
			'password',
			() => {
				other.answer(everySystem(encrypt(openstack.password, openstack.encryptKey), author.url))
				return { env: { SECRET_ENDPOINT_HOSTS: other.host }, settings: { contrabassEndpoint: other.url } }
			},
			'Keystone, named by spec.settings.contrabassEndpoint',
		],
		['Keystone token', () => ({ settings: { openstackNeutronEndpoint: author.url } }), 'spec.settings.openstackNeutronEndpoint'],
		['Keystone token', () => ({ settings: { openstackNovaEndpoint: author.url } }), 'spec.settings.openstackNovaEndpoint'],
		['Keystone token', () => ({ credentials: { networkEndpoint: author.url } }), 'spec.credentials.networkEndpoint'],
		['Keystone token', () => ({ credentials: { computeEndpoint: author.url } }), 'spec.credentials.computeEndpoint'],
	])('%s', async (secret, written, field) => {
		const condition = await ready(written())
		expect({ connections: author.connections(), heard: author.heard }).toEqual({ connections: 0, heard: [] })
		expect(condition).toMatchObject({ status: 'False', reason: 'SecretWithheld', message: expect.stringMatching(withheld(field, secret)) })
		expect(condition?.message).toContain('No changes were sent')
	})

	test('a Neutron from the catalog of a Keystone that is in the list', async () => {
		const sealed = encrypt(openstack.password, openstack.encryptKey)
		const names = (url: string) => everySystem(sealed, url)
		other.answer((request, response) => names(request.path.includes('/provider') ? other.url : author.url)(request, response))
		const condition = await ready({ env: { SECRET_ENDPOINT_HOSTS: other.host }, settings: { contrabassEndpoint: other.url } })
		expect(author.connections()).toBe(0)
		expect(other.heard.join()).toContain('/auth/tokens')
		expect(condition).toMatchObject({ reason: 'SecretWithheld', message: expect.stringMatching(/^Neutron, named by Keystone, named by/) })
	})

	test.each<[sentence: string, written: () => Written, reason: string]>([
		[
			'viola, if its certificate would not be verified',
			() => ({ env: { VIOLA_ENDPOINT: author.url.replace('http', 'https') }, settings: { violaInsecureTLS: true } }),
			'SecretWithheld',
		],
		['viola, if its URL contains a user', () => ({ settings: { violaEndpoint: `http://viola@${author.host}` } }), 'ConfigError'],
		[
			'viola, for a namespace without an entry',
			() => ({ env: { VIOLA_ENDPOINT: author.url, VIOLA_ALLOWED_PROVIDERS: 'b=biz-1' } }),
			'ProviderNotAllowed',
		],
		[
			'viola, for another provider',
			() => ({ env: { VIOLA_ENDPOINT: author.url, VIOLA_ALLOWED_PROVIDERS: 'team-a=b' } }),
			'ProviderNotAllowed',
		],
		[
			'viola of the environment, with a token of the namespace',
			() => ({ env: { VIOLA_ENDPOINT: author.url }, secrets: own('violaTokenSecretRef', 'token') }),
			'SecretWithheld',
		],
	])('%s', async (_, written, reason) => {
		expect(await ready(written())).toMatchObject({ status: 'False', reason })
		expect(author.connections()).toBe(0)
	})
})

describe('a redirect to another origin is not followed', () => {
	test.each([301, 302, 303, 307, 308])('%i', async status => {
		for (const [name, reason] of [
			['VIOLA_ENDPOINT', 'ViolaReadError'],
			['CONTRABASS_ENDPOINT', 'ContrabassError'],
			['OPENSTACK_NEUTRON_ENDPOINT', 'NeutronSubnetError'],
		] as const) {
			other.answer(redirectTo(author.url, status))
			expect(await ready({ env: { [name]: other.url } })).toMatchObject({ status: 'False', reason })
		}
		const [credentials] = [{ authURL: other.url, username: openstack.user, ...own('passwordSecretRef', 'password') }]
		expect(await ready({ credentials })).toMatchObject({ reason: 'KeystoneError' })
		expect(other.heard.join()).toMatch(/"password"/)
		expect(author.connections()).toBe(0)
	})
})

describe('a secret is sent', () => {
	test('to a host in the list', async () => {
		await ready({ env: { SECRET_ENDPOINT_HOSTS: author.host }, settings: { violaEndpoint: author.url } })
		expect(author.heard.join()).toContain(`Bearer ${violaToken}`)
	})

	test('from a Secret of the namespace to the endpoints of the OpenstackConfig', async () => {
		const credentials = { authURL: author.url, username: openstack.user, ...own('passwordSecretRef', 'password') }
		const secrets = own('violaTokenSecretRef', 'token')
		await ready({ settings: { violaEndpoint: author.url, openstackNeutronEndpoint: author.url }, credentials, secrets })
		for (const word of [`Bearer ${ownToken}`, openstack.password, 'a-token-of-keystone']) expect(author.heard.join()).toContain(word)
		expect(author.heard.join()).not.toContain(violaToken)
	})

	test("from the environment's Contrabass to its Keystone, decrypted with a key of the namespace", async () => {
		const secrets = own('contrabassEncryptKeySecretRef', 'key')
		expect(await ready({ env: { CONTRABASS_ENCRYPT_KEY: '' }, secrets })).toMatchObject({ status: 'True' })
	})

	test("but not from the environment's Contrabass to an endpoint of the OpenstackConfig, even with a key of the namespace", async () => {
		const settings = { openstackNeutronEndpoint: author.url }
		const secrets = own('contrabassEncryptKeySecretRef', 'key')
		expect(await ready({ env: { CONTRABASS_ENCRYPT_KEY: '' }, settings, secrets })).toMatchObject({ reason: 'SecretWithheld' })
		expect(author.connections()).toBe(0)
	})
})

describe('invalid input from a remote system or an author results in a condition, not in a bug', () => {
	test.each(['violaEndpoint', 'openstackNeutronEndpoint', 'openstackNovaEndpoint'])(
		'%s does not respond, and the author sets a long timeout: the reconcile ends in time',
		async name => {
			const stop = new AbortController()
			author.answer(() => stop.abort(new Error('not done within 120000 ms')))
			const credentials = { authURL: openstack.keystoneUrl, username: openstack.user, ...own('passwordSecretRef', 'password') }
			const settings = { [name]: author.url, violaTimeout: '99999999h', openstackTimeout: '99999999h' }
			const secrets = name === 'violaEndpoint' ? own('violaTokenSecretRef', 'token') : {}
			expect(await ready({ settings, credentials, secrets, signal: stop.signal })).toMatchObject({
				status: 'False',
				message: expect.stringContaining(`${author.host} was canceled: not done within 120000 ms`),
			})
		},
	)

	test.each(['constructor', '__proto__', 'toString'])('a Secret without the key %s', async key => {
		const condition = await ready({ secrets: own('violaTokenSecretRef', key) })
		expect(condition).toMatchObject({ reason: 'ConfigError', message: expect.stringContaining(`has no key ${key}`) })
	})

	test.each<[sentence: string, body: string, words: RegExp]>([
		['a URL that is invalid', '{"data":{"url":"http://[","attributes":{"adminId":"a","adminPw":"b"}}}', /data\.url: Invalid URL/],
		[
			'a URL with another scheme',
			`{"data":{"url":"file:///etc/passwd","attributes":{"adminId":"a","adminPw":"SEALED"}}}`,
			/must be an http or/,
		],
		['deeply nested lists', '['.repeat(100_000), /100000 levels deep/],
		[
			'a list from the prototype',
			'{"__proto__":{"data":{"url":"http://a","attributes":{"adminId":"a","adminPw":"b"}}}}',
			/data: Invalid input/,
		],
	])('a Contrabass answers with %s', async (_, body, words) => {
		other.answer((__, response) => response.end(body.replace('SEALED', encrypt(openstack.password, openstack.encryptKey))))
		const condition = await ready({ env: { CONTRABASS_ENDPOINT: other.url } })
		expect(condition).toMatchObject({ status: 'False', message: expect.stringMatching(words) })
	})
})

test('no secret is in a log or a status', () => {
	const said = logged.join('') + JSON.stringify(api.objects.list(OpenstackConfigKind))
	for (const word of ['SecretWithheld', 'ViolaReadError']) expect(said).toContain(word)
	for (const secret of [violaToken, ownToken, openstack.password, openstack.encryptKey]) expect(said).not.toContain(secret)
})
