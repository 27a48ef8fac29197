import { reveal } from '../../../mgmt/disclosure/decide.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encrypt } from '../../../lab/openstack/contrabass.ts'
import { readConfig } from '../../../mgmt/config.ts'
import type { HttpClients, Trust } from '../../../mgmt/http-clients.ts'
import type { OpenstackConfig } from '../../../mgmt/kind.ts'
import { createTokens } from '../../../mgmt/openstack/tokens.ts'
import { reconcileOpenstackConfig } from '../../../mgmt/reconcile.ts'
import { systemClock } from '../../../runtime/clock.ts'
import type { HttpCall, HttpClient } from '../../../runtime/http-client.ts'
import type { KubeClient } from '../../../runtime/kube/client.ts'
import { createLog } from '../../../runtime/log.ts'
import { leadingWithoutInventory } from '../leading.ts'

/** Whole reconciles of random OpenstackConfigs. Every call that mgmt would make is recorded instead of sent. */

const secretsOfEnvironment = ['the-viola-token', 'the-contrabass-k', 'the-password', 'the-keystone-token']
const [violaToken = '', key = '', password = '', keystoneToken = ''] = secretsOfEnvironment
const hostsOfEnvironment = ['viola.env', 'contrabass.env', 'keystone.env', 'neutron.env', 'nova.env']
const list = 'listed.env:8443'

const urls = fc.oneof(
	fc.constantFrom('http://evil.example', 'https://evil.example:8443', 'http://evil.example/x?@viola.env', 'http://evil.example#@viola.env'),
	fc.constantFrom(
		'http://viola.env@evil.example',
		'http://viola.env:80@evil.example/',
		'http://viola.env\\@evil.example',
		'http://evil.exa\tmple',
	),
	fc.constantFrom(
		'http://viola.env.evil.example',
		'http://%65vil.example',
		'http:evil.example',
		'http://listed.env',
		'https://listed.env:8444',
	),
	fc.constantFrom(
		'http://VIOLA.env',
		'http://viola.env.',
		'http://viola.env:8080',
		'https://keystone.env/v3',
		'http://contrabass.env',
		'http://neutron.env',
	),
	fc.constantFrom('http://listed.env:8443', 'https://LISTED.env.:8443/v3', 'http://me@listed.env:8443'),
	fc.webUrl(),
)
/** Rare, because a rejection ends the reconcile, so that later calls are not tested. */
const maybe = <T>(value: fc.Arbitrary<T>) => fc.oneof({ arbitrary: fc.constant(undefined), weight: 6 }, { arbitrary: value, weight: 1 })
const ref = (name: string) => maybe(fc.constant({ name: 'own', key: name }))
const settings = fc.record({
	...Object.fromEntries(['viola', 'contrabass', 'openstackNeutron', 'openstackNova'].map(name => [`${name}Endpoint`, maybe(urls)])),
	...Object.fromEntries(['viola', 'contrabass', 'openstack'].map(name => [`${name}InsecureTLS`, maybe(fc.boolean())])),
	contrabassEncryptKey: maybe(fc.constant('another-key-1234')),
	caBundle: maybe(fc.constant('PEM of the author')),
})
const credentials = fc.record({
	...Object.fromEntries(['authURL', 'networkEndpoint', 'computeEndpoint'].map(name => [name, maybe(urls)])),
	openstackProviderID: fc.constant('os-1'),
	projectID: fc.constant('p'),
	username: fc.constant('me'),
	passwordSecretRef: ref('password'),
})
const secrets = fc.record({ violaTokenSecretRef: ref('token'), contrabassEncryptKeySecretRef: ref('key') })
const environments = fc.record({
	CONTRABASS_ENDPOINT: fc.constantFrom('http://contrabass.env', 'https://contrabass.env'),
	VIOLA_ENDPOINT: fc.constantFrom('http://viola.env', 'https://viola.env'),
	...Object.fromEntries(
		['NEUTRON', 'NOVA'].map(name => [`OPENSTACK_${name}_ENDPOINT`, maybe(fc.constant(`https://${name.toLowerCase()}.env`))]),
	),
})

type Sent = { trust: Trust; call: HttpCall<unknown> }

/** @returns every call of one reconcile, and the streams that it opens */
async function callsOf(spec: object, env: object, evilUrl: string): Promise<Sent[]> {
	const sent: Sent[] = []
	const clientFor = ({ insecure, ca }: Trust): HttpClient => ({
		call: async call => {
			sent.push({ trust: { insecure, ...(ca && { ca }) }, call })
			const host = new URL(call.url).hostname
			return { status: 200, headers: { 'x-subject-token': tokenFor(call.body) }, body: answerOf(host, call.url, evilUrl) as never }
		},
		stream: () => notCalled(),
		close: async () => {},
	})
	const http: HttpClients = { during: (signal, work) => work({ for: clientFor, signal }), close: async () => {} }
	const config = { metadata: { namespace: 'ns', name: 'any', generation: 1 }, spec } as OpenstackConfig
	const ofNamespace = { token: 'token-of-the-namespace', key: 'key-of-namespace', password: 'password-of-the-namespace' }
	const data = Object.fromEntries(Object.entries(ofNamespace).map(([name, value]) => [name, Buffer.from(value).toString('base64')]))
	const objects = { OpenstackConfig: config, Secret: { data } } as const
	const client = {
		find: async ({ kind }: { kind: keyof typeof objects }, { name }: { name: string }) =>
			name.startsWith('contrabass') ? undefined : objects[kind],
		patch: async () => {},
		patchStatus: async () => {},
	} as unknown as KubeClient
	const mgmt = { client, all: () => [], env: readConfig({ ...usual, ...env }), http, tokens: createTokens(systemClock) }
	const log = createLog('mgmt', { level: 'silent' })
	const leading = leadingWithoutInventory(log, async ({ grant, remote: { insecure, ca } }) => {
		sent.push({ trust: { insecure, ...(ca && { ca }) }, call: { url: grant.endpoint.url, headers: { authorization: reveal(grant) } } })
	})
	await reconcileOpenstackConfig({ ...mgmt, ...leading, log, clock: systemClock, chance: () => 0 })('ns/any', new AbortController().signal)
	return sent
}

const usual = { CONTRABASS_ENCRYPT_KEY: key, VIOLA_TOKEN: violaToken, SECRET_ENDPOINT_HOSTS: list }
const adminPw = encrypt(password, key)
/** The systems of the environment return each other's URLs; all others return a URL that the author chooses. */
function answerOf(host: string, url: string, evilUrl: string): object {
	const isTrue = hostsOfEnvironment.includes(host)
	const named = (name: string) => (isTrue ? `https://${name}.env` : evilUrl)
	const endpoint = (name: string) => [{ interface: 'public', region: 'One', url: named(name) }]
	const catalog = [
		{ type: 'network', endpoints: endpoint('neutron') },
		{ type: 'compute', endpoints: endpoint('nova') },
	]
	const lists = { items: [], servers: [], ports: [], networks: [{ id: 'n', mtu: 1500 }] }
	const subnets = [{ id: 'sub', name: 'sub', network_id: 'n', cidr: '10.0.0.0/24' }]
	const data = { url: named('keystone'), attributes: { adminId: 'admin', adminPw, domain: 'default' } }
	const token = { expires_at: '2099-01-01T00:00:00Z', catalog }
	return { ...lists, subnets, ...(url.includes('/provider') && { data }), ...(url.endsWith('/auth/tokens') && { token }) }
}

/** A login with the password of the environment gets a token of the environment. */
function tokenFor(body: unknown): string {
	return JSON.stringify(body ?? '').includes(password) ? keystoneToken : 'a-token-of-the-author'
}

function carriesSecret({ call }: Sent): boolean {
	const text = JSON.stringify([call.url, call.headers, call.body])
	return secretsOfEnvironment.some(secret => text.includes(secret))
}

test('for any OpenstackConfig, no secret of the environment is sent to a host that is neither in the environment nor in the list', async () => {
	const reached = new Map<string, number>()
	const spec = fc.record({ vmNames: fc.constant(['vm']), subnetID: fc.constant('sub'), settings, credentials, secrets })
	const property = fc.asyncProperty(spec, environments, urls, async (spec, env, evilUrl) => {
		const calls = await callsOf(JSON.parse(JSON.stringify(spec)), env, evilUrl)
		for (const sent of calls.filter(carriesSecret)) {
			const { hostname, host, protocol } = new URL(sent.call.url)
			reached.set(hostname, (reached.get(hostname) ?? 0) + 1)
			if (host.replace('.:', ':') === list) continue
			expect(hostsOfEnvironment).toContain(hostname)
			if (protocol === 'https:') expect(sent.trust).toEqual({ insecure: false })
		}
	})
	await fc.assert(property, { numRuns: 1_000, interruptAfterTimeLimit: 600_000 })
	expect([...reached.keys()]).toEqual(expect.arrayContaining(['viola.env', 'keystone.env', 'neutron.env', 'nova.env', 'listed.env']))
})

function notCalled(): never {
	throw new Error('a reconcile itself opens no stream')
}
