import { afterEach, beforeEach, expect, test } from 'vitest'
import { encrypt } from '../../lab/openstack/contrabass.ts'
import { type Openstack, type OpenstackOptions, startOpenstack } from '../../lab/openstack/server.ts'
import { createSecret, grantOf, reveal, type SecretName } from '../../mgmt/disclosure/decide.ts'
import { chosenEndpoint } from '../../mgmt/model/origin.ts'
import { decrypt } from '../../mgmt/openstack/decrypt.ts'
import { endpointOf, signIn } from '../../mgmt/openstack/keystone.ts'
import { readNetworks, readPorts, readSubnets } from '../../mgmt/openstack/neutron.ts'
import { readServers } from '../../mgmt/openstack/nova.ts'
import { readProvider } from '../../mgmt/openstack/provider.ts'
import { openSession, type Session } from '../../mgmt/openstack/session.ts'
import { createTokens } from '../../mgmt/openstack/tokens.ts'
import { createHttpClient, type HttpCall, type HttpClient } from '../../runtime/http-client.ts'

/** mgmt's clients against the lab's OpenStack, which is verified against recorded responses. */

let openstack: Openstack
let http: HttpClient
let now: number
let tokens: ReturnType<typeof createTokens>

const start = async (more: Partial<OpenstackOptions> = {}) => {
	await openstack?.stop()
	const networks = [
		{ name: 'a', cidr: '10.0.0.0/24', mtu: 1450 },
		{ name: 'b', cidr: '10.1.0.0/24', mtu: 9000 },
	]
	openstack = await startOpenstack({ networks, servers: ['vm-1', 'vm-2', 'vm-3'].map(name => ({ name })), ...more })
	http = createHttpClient({ timeoutMs: 5_000 })
	now = Date.now()
	tokens = createTokens({ now: () => now })
}
beforeEach(() => start())
afterEach(async () => {
	await http.close()
	await openstack.stop()
})

const settings = {
	timeoutMs: 5_000,
	insecure: false,
	trustField: undefined,
	keystone: undefined,
	endpoints: { side: 'public', region: '' },
} as const
const granted = (name: SecretName, value: string, url: string) => {
	const endpoint = chosenEndpoint([], ['THE_ENDPOINT', url]) ?? expect.unreachable()
	return grantOf(createSecret(name, endpoint, value), endpoint, [])
}
const login = (password = openstack.password) => ({
	grant: granted('password', password, openstack.keystoneUrl),
	user: openstack.user,
	domain: 'default',
	projectId: openstack.projectId,
})
const session = (password?: string): Session => openSession(login(password), settings, { http, tokens, hosts: [] })
const provider = (key = openstack.encryptKey, openstackProviderId = openstack.providerId) => {
	const grant = granted('Contrabass encryption key', key, openstack.contrabassUrl)
	return readProvider(http, { key: grant, openstackProviderId, timeoutMs: 5_000 })
}
const signIns = () => openstack.requests.filter(request => request.includes('/auth/tokens')).length
const serverIds = () => openstack.cloud.servers.map(({ id }) => id)

test.each([16, 24, 32])('a password is decrypted with a key of %d bytes', bytes => {
	expect(decrypt(encrypt('p@ss wörd', 'k'.repeat(bytes)), 'k'.repeat(bytes))).toBe('p@ss wörd')
})

/** Output of `printf 'p@ss wörd' | openssl enc …` of OpenSSL 3.0, unless a comment names another command. */
test.each<[form: string, text: string, key: string]>([
	// IV 000102…0f, then: enc -aes-128-cbc -K 30313233343536373839616263646566 -iv 000102030405060708090a0b0c0d0e0f
	['the raw form', 'AAECAwQFBgcICQoLDA0OD8/unJYTnrP/KgpTliEsq5Q=', '0123456789abcdef'],
	// Salted__ and salt 0102030405060708, then: enc -aes-BITS-cbc -md DIGEST -S 0102030405060708 -pass pass:lab-passphrase
	['a passphrase, AES-128, MD5', 'U2FsdGVkX18BAgMEBQYHCCTywwlMT4ejhd379xqooes=', 'lab-passphrase'],
	['a passphrase, AES-128, SHA-256', 'U2FsdGVkX18BAgMEBQYHCBanmseO8INCVyaWGe+rLfc=', 'lab-passphrase'],
	['a passphrase, AES-192, MD5', 'U2FsdGVkX18BAgMEBQYHCBr06DyJr469d0NghZtltc4=', 'lab-passphrase'],
	['a passphrase, AES-192, SHA-256', 'U2FsdGVkX18BAgMEBQYHCEDhmjJcmvkcyxhKxraOJQA=', 'lab-passphrase'],
	['a passphrase, AES-256, MD5', 'U2FsdGVkX18BAgMEBQYHCGbveGW7IKdxhSVmIyzmrSA=', 'lab-passphrase'],
	['a passphrase, AES-256, SHA-256', 'U2FsdGVkX18BAgMEBQYHCLLhu53sLNiwYUBgcv0XNRY=', 'lab-passphrase'],
	// enc -aes-128-cbc -md md5 -pass pass:lab-passphrase -a -A: the complete output of OpenSSL, with its header
	['a complete OpenSSL file', 'U2FsdGVkX1/Tb5uiNdUTu/PPnm/FlhC+IngL5xyp3uM=', 'lab-passphrase'],
])('a password encrypted by OpenSSL is decrypted: %s', (_, text, key) => {
	expect(decrypt(text, key)).toBe('p@ss wörd')
})

const salted = 'U2FsdGVkX1/Tb5uiNdUTu/PPnm/FlhC+IngL5xyp3uM='
test.each<[sentence: string, text: string, key: string, words: string]>([
	['a key of 15 bytes', encrypt('x', 'k'.repeat(16)), 'k'.repeat(15), 'has 15 bytes; it must have 16, 24 or 32'],
	['a text that is not encrypted', 'cGxhaW4=', 'k'.repeat(16), 'is not Base64 of an IV'],
	[
		'another key',
		Buffer.concat([Buffer.alloc(16), Buffer.alloc(16, 7)]).toString('base64'),
		'k'.repeat(16),
		'cannot be decrypted with the Contrabass encryption key',
	],
	['another passphrase', salted, 'not-the-passphrase', 'cannot be decrypted with the Contrabass encryption key'],
	['a truncated encrypted text', 'U2FsdGVkX1/Tb5uiNdUTuw==', 'lab-passphrase', 'is not Base64 of an IV, or Salted__'],
])('%s is reported without the key and the text', (_, text, key, words) => {
	expect(() => decrypt(text, key)).toThrow(words)
	expect(() => decrypt(text, key)).not.toThrow(key)
	expect(() => decrypt(text, key)).not.toThrow(text)
})

test.each([['/v1/contrabass/admin/infra/provider/:id'], ['/api/providers/:id']] as const)('Contrabass is read at %s', async path => {
	await start({ contrabassPaths: [path] })
	const { password, ...account } = await provider()
	expect(account).toEqual({ url: openstack.keystoneUrl, user: openstack.user, domain: 'default' })
	expect(password).toMatchObject({ name: 'password', source: 'environment' })
	expect(reveal(grantOf(password, granted('password', '', openstack.keystoneUrl).endpoint, []))).toBe(openstack.password)
})

test('a provider that Contrabass does not have is reported', async () => {
	await expect(provider(openstack.encryptKey, 'nobody')).rejects.toMatchObject({
		code: 'ContrabassError',
		message: expect.stringContaining('has no provider nobody'),
	})
})

test.each(['.', '..', 'a/b', '%2e'])('the provider id %s is rejected because it would lead to another path', async id => {
	await expect(provider(openstack.encryptKey, id)).rejects.toMatchObject({
		code: 'ConfigError',
		message: expect.stringContaining('spec.credentials.openstackProviderID'),
	})
})

test('ports, subnets, networks and servers are read completely, page by page', async () => {
	await start({ pageSize: 2 })
	for (const server of ['vm-1', 'vm-1', 'vm-2', 'vm-2', 'vm-3']) openstack.attach({ server, network: 'a' })
	const [first, second] = openstack.cloud.subnets
	const subnets = await readSubnets(session(), { ids: [second?.id ?? '', first?.id ?? ''] }, openstack.projectId)
	expect(subnets.map(({ cidr }) => cidr)).toEqual(['10.1.0.0/24', '10.0.0.0/24'])
	expect((await readNetworks(session(), subnets)).map(({ mtu }) => mtu).toSorted()).toEqual([1450, 9000])
	expect((await readServers(session(), [])).map(({ name }) => name).toSorted()).toEqual(['vm-1', 'vm-2', 'vm-3'])
	const ports = await readPorts(session(), serverIds())
	expect(ports.map(({ id }) => id).toSorted()).toEqual(openstack.cloud.ports.map(({ id }) => id).toSorted())
	expect(signIns()).toBe(1)
})

test('without devices, no ports are requested, because an empty filter would return every port of the cloud', async () => {
	expect(await readPorts(session(), [])).toEqual([])
	expect(openstack.requests).toEqual([])
})

test('many devices are requested in URLs of moderate length', async () => {
	openstack.attach({ server: 'vm-1', network: 'a' })
	const ids = [...Array.from({ length: 149 }, (_, n) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`), serverIds()[0] ?? '']
	expect(await readPorts(session(), ids)).toHaveLength(1)
	const asked = openstack.requests.filter(request => request.includes('/ports?'))
	expect(asked).toHaveLength(3)
	expect(asked.every(request => request.length < 4096)).toBe(true)
})

test.each<[sentence: string, wanted: Parameters<typeof readSubnets>[1], code: string]>([
	['an unknown subnet id', { ids: ['99999999-9999-4999-8999-999999999999'] }, 'SubnetNotFound'],
	['an unknown subnet name', { name: 'nobody' }, 'SubnetNotFound'],
	['a subnet name that is not unique', { name: 'twice' }, 'SubnetNotUnique'],
])('%s is reported', async (_, wanted, code) => {
	await start({ networks: ['c', 'd'].map(name => ({ name, subnetName: 'twice', cidr: '10.0.0.0/24' })) })
	await expect(readSubnets(session(), wanted, openstack.projectId)).rejects.toMatchObject({ code })
})

test('a server for which Nova answers 404 is absent; any other failure is an error', async () => {
	const gone = '99999999-9999-4999-8999-999999999999'
	expect(await readServers(session(), [gone])).toHaveLength(3)
	openstack.setFault('nova', { status: 500 })
	await expect(readServers(session(), [gone])).rejects.toMatchObject({ code: 'NovaError' })
})

test('concurrent requests log in once, and a revoked token is replaced once', async () => {
	const read = () => Promise.all([readServers(session(), []), readServers(session(), []), readServers(session(), [])])
	await read()
	expect(signIns()).toBe(1)
	openstack.revokeTokens()
	await read()
	expect(signIns()).toBe(2)
})

test('a token is replaced two minutes before it expires', async () => {
	await readServers(session(), [])
	now += 3_470_000
	await readServers(session(), [])
	expect(signIns()).toBe(1)
	now += 20_000
	await readServers(session(), [])
	expect(signIns()).toBe(2)
})

test('a rejected password is used again after 1, 2, 4 … minutes by any caller; another password is tried immediately', async () => {
	const ask = (password?: string) => readServers(session(password), [])
	const refused = { code: 'KeystoneError', message: expect.stringMatching(/rejected the login of admin \(401\)/) }
	await expect(ask('wrong')).rejects.toMatchObject(refused)
	await expect(ask('wrong')).rejects.toMatchObject({ ...refused, facts: { notBeforeMs: now + 60_000 } })
	expect(signIns()).toBe(1)
	now += 60_000
	await expect(ask('wrong')).rejects.toMatchObject({ ...refused, facts: { notBeforeMs: now + 120_000 } })
	expect(signIns()).toBe(2)
	expect(await ask()).toHaveLength(3)
	expect(signIns()).toBe(3)
})

test('each of two alternating wrong passwords has its own back-off', async () => {
	for (const password of ['wrong', 'wrong too', 'wrong', 'wrong too', 'wrong'])
		await expect(readServers(session(password), [])).rejects.toMatchObject({ code: 'KeystoneError' })
	expect(signIns()).toBe(2)
})

test('a project without a role does not affect the tokens for other projects of the account', async () => {
	const other = openSession({ ...login(), projectId: 'nobody' }, settings, { http, tokens, hosts: [] })
	await expect(readServers(other, [])).rejects.toMatchObject({ code: 'KeystoneError' })
	expect(await readServers(session(), [])).toHaveLength(3)
})

test.each<[sentence: string, token: object, words: RegExp]>([
	['an invalid time', { expires_at: 'soon', catalog: [] }, /must be a time/],
	[
		'a URL that is too long',
		{
			expires_at: '2099-01-01T00:00:00Z',
			catalog: [{ type: 'network', endpoints: [{ interface: 'public', url: `http://${'/'.repeat(2_048)}` }] }],
		},
		/<=2048 characters/,
	],
])('a Keystone response with %s is rejected', async (_, token, words) => {
	const call = async ({ schema }: HttpCall<unknown>) => ({
		status: 201,
		headers: { 'x-subject-token': 't' },
		body: schema?.parse({ token }),
	})
	const hostile = { call, close: async () => {} } as unknown as HttpClient
	await expect(signIn(hostile, login(), 5_000)).rejects.toThrow(words)
})

test('only the used services of a catalog are kept, and an error lists only some of their endpoints', async () => {
	const endpoints = Array.from({ length: 200 }, (_, n) => ({ interface: 'admin', region: `r${n}`, url: 'http://a' }))
	const catalog = ['network', 'compute', 'volumev3', 'image'].map(type => ({ type, endpoints }))
	const call = async () => ({
		status: 201,
		headers: { 'x-subject-token': 't' },
		body: { token: { expires_at: '2099-01-01T00:00:00Z', catalog } },
	})
	const token = await signIn({ call, close: async () => {} } as unknown as HttpClient, login(), 5_000)
	expect(token.catalog.map(({ type }) => type)).toEqual(['network', 'compute'])
	expect(() => endpointOf(token.catalog, 'network', { side: 'public', region: '' })).toThrow(/in r19$/)
})

test('an error never contains a password', async () => {
	const error: Error = await readServers(session('a-wrong-password'), []).then(
		() => expect.unreachable(),
		error => error,
	)
	expect(JSON.stringify(error) + error.message + JSON.stringify(error.cause ?? '')).not.toContain('a-wrong-password')
})

test.each<[sentence: string, endpoints: Parameters<typeof endpointOf>[2], expected: string | RegExp]>([
	['the one with the requested interface', { side: 'internal', region: '' }, 'http://internal/'],
	['the one in the requested region', { side: 'public', region: 'Two' }, 'http://two/'],
	[
		'never one in another region',
		{ side: 'internal', region: 'Two' },
		/no internal network endpoint in Two; it has: public in One, internal in One, public in Two/,
	],
])('the endpoint is %s', (_, endpoints, expected) => {
	const endpoint = (side: string, region: string, url: string) => ({ interface: side, region, region_id: region, url })
	const all = [
		endpoint('public', 'One', 'http://one/'),
		endpoint('internal', 'One', 'http://internal/'),
		endpoint('public', 'Two', 'http://two/'),
	]
	const read = () => endpointOf([{ type: 'network', endpoints: all }], 'network', endpoints)
	if (expected instanceof RegExp) expect(read).toThrow(expected)
	else expect(read()).toBe(expected)
})
