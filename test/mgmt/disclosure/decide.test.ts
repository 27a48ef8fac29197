import { describe, expect, test } from 'vitest'
import { createSecret, grantOf, refuseUnlessGranted, reveal, type SecretName } from '../../../mgmt/disclosure/decide.ts'
import { AllowedHosts } from '../../../mgmt/disclosure/hosts.ts'
import { chosenEndpoint, namedBy, type Source } from '../../../mgmt/model/origin.ts'

const origins = {
	environment: { source: 'environment', field: 'THE_SECRET' },
	namespace: { source: 'namespace', field: 'spec.secrets.ref' },
} as const
const own = (url: string, trustField?: string) =>
	chosenEndpoint([['spec.settings.own', url]], undefined, trustField) ?? expect.unreachable()
const ofProcess = (url: string, trustField?: string) => chosenEndpoint([], ['THE_ENDPOINT', url], trustField) ?? expect.unreachable()
const grant = (source: Source, name: SecretName, endpoint: ReturnType<typeof own>, list = '') =>
	grantOf(createSecret(name, origins[source], 'the-text'), endpoint, AllowedHosts.parse(list))

type Case = [sentence: string, ...question: Parameters<typeof grant>]

describe('a secret may be sent', () => {
	test.each<Case>([
		['from the environment to its endpoint', 'environment', 'viola token', ofProcess('http://viola')],
		['from the namespace to an endpoint of the OpenstackConfig', 'namespace', 'viola token', own('http://viola')],
		['from the environment to a host of the list', 'environment', 'viola token', own('http://viola'), 'viola'],
		['from the namespace to a host of the list', 'namespace', 'viola token', ofProcess('http://viola'), 'viola'],
		['to what a system of the environment names', 'environment', 'password', namedBy(ofProcess('http://c'), 'Keystone', 'http://k')],
		['to what a system of the OpenstackConfig names', 'namespace', 'password', namedBy(own('http://c'), 'Keystone', 'http://k')],
		['to a host of the list, whatever certificates count', 'environment', 'viola token', own('https://v', 'spec.settings.caBundle'), 'v'],
		['without encryption, whatever certificates count', 'environment', 'viola token', ofProcess('http://v', 'spec.settings.caBundle')],
		[
			'from the namespace, where the OpenstackConfig chose the certificates',
			'namespace',
			'password',
			own('https://v', 'spec.settings.caBundle'),
		],
		['as a key of the namespace, which opens what Contrabass answers', 'namespace', 'Contrabass encryption key', ofProcess('http://c')],
	])('%s', (_, ...question) => {
		const granted = grant(...question)
		expect(granted.endpoint).toBe(question[2])
		expect(reveal(granted)).toBe('the-text')
	})
})

const environment = (field: string, host: string, name: SecretName) =>
	`${field}: host ${host} is not in SECRET_ENDPOINT_HOSTS, and the ${name} comes from the environment of mgmt`

describe('a secret is withheld', () => {
	test.each<[sentence: string, message: string, ...question: Parameters<typeof grant>]>([
		[
			'from an endpoint that the OpenstackConfig names, when the environment has the secret',
			environment('spec.settings.own', 'evil.example.com', 'viola token'),
			'environment',
			'viola token',
			own('https://Evil.Example.com/v1'),
			'viola,example.com',
		],
		[
			'from an endpoint of the environment, when a Secret of the namespace has it',
			'THE_ENDPOINT: host viola:8080 is not in SECRET_ENDPOINT_HOSTS, and the viola token comes from spec.secrets.ref',
			'namespace',
			'viola token',
			ofProcess('http://viola:8080'),
			'',
		],
		[
			'from a Contrabass of the OpenstackConfig, when it is the key of the environment',
			environment('spec.settings.own', 'c', 'Contrabass encryption key'),
			'environment',
			'Contrabass encryption key',
			own('http://c'),
			'',
		],
		[
			'from a host that a system of the OpenstackConfig names, also where that system is on the list',
			environment('Keystone, named by spec.settings.own', 'evil', 'password'),
			'environment',
			'password',
			namedBy(own('http://listed'), 'Keystone', 'http://evil'),
			'listed',
		],
		[
			'where the OpenstackConfig chooses which certificates are trusted',
			environment('spec.settings.openstackInsecureTLS', 'neutron', 'Keystone token'),
			'environment',
			'Keystone token',
			ofProcess('https://neutron', 'spec.settings.openstackInsecureTLS'),
			'',
		],
		[
			'from another port of a host of the list',
			environment('spec.settings.own', 'viola:9090', 'viola token'),
			'environment',
			'viola token',
			own('http://viola:9090'),
			'viola:8080',
		],
	])('%s', (_, message, ...question) => {
		const [source, name, endpoint, list = ''] = question
		expect(() => grant(...question)).toThrow(expect.objectContaining({ code: 'SecretWithheld', message }))
		expect(() => refuseUnlessGranted({ name, ...origins[source] }, endpoint, AllowedHosts.parse(list))).toThrow(message)
	})

	test.each([
		['http://me:the-password@viola', 'must be a URL without user and password'],
		['http://me@viola', 'must be a URL without user and password'],
		['http://viola/admin?x=', 'must be a URL without query and fragment'],
		['http://viola/admin#', 'must be a URL without query and fragment'],
		['ftp://viola', 'must be an http or https URL'],
		['no URL', 'must be an http or https URL'],
	])('from %s, regardless of the list', (url, words) => {
		const refused = { code: 'ConfigError', message: `spec.settings.own: ${words}` }
		expect(() => grant('namespace', 'viola token', own(url), 'viola')).toThrow(expect.objectContaining(refused))
	})
})

test('the text of a secret is in no JSON and in no field name', () => {
	const secret = createSecret('password', origins.environment, 'the-text')
	expect(JSON.stringify({ secret, fields: Object.keys(secret) })).not.toContain('the-text')
})
