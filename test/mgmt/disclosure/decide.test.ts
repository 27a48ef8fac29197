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
		['from the environment to an endpoint of the environment', 'environment', 'viola token', ofProcess('http://viola')],
		['from the namespace to an endpoint of the OpenstackConfig', 'namespace', 'viola token', own('http://viola')],
		['from the environment to a host in the list', 'environment', 'viola token', own('http://viola'), 'viola'],
		['from the namespace to a host in the list', 'namespace', 'viola token', ofProcess('http://viola'), 'viola'],
		[
			'from the environment to an endpoint that a system of the environment returns',
			'environment',
			'password',
			namedBy(ofProcess('http://c'), 'Keystone', 'http://k'),
		],
		[
			'from the namespace to an endpoint that a system of the OpenstackConfig returns',
			'namespace',
			'password',
			namedBy(own('http://c'), 'Keystone', 'http://k'),
		],
		['to a host in the list, with any trusted certificates', 'environment', 'viola token', own('https://v', 'spec.settings.caBundle'), 'v'],
		['over plain HTTP, with any trusted certificates', 'environment', 'viola token', ofProcess('http://v', 'spec.settings.caBundle')],
		[
			'from the namespace if the OpenstackConfig chose the trusted certificates',
			'namespace',
			'password',
			own('https://v', 'spec.settings.caBundle'),
		],
		[
			'if it is a key of the namespace that decrypts the response of Contrabass',
			'namespace',
			'Contrabass encryption key',
			ofProcess('http://c'),
		],
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
			'from an endpoint in the OpenstackConfig if the secret comes from the environment',
			environment('spec.settings.own', 'evil.example.com', 'viola token'),
			'environment',
			'viola token',
			own('https://Evil.Example.com/v1'),
			'viola,example.com',
		],
		[
			'from an endpoint of the environment if the secret comes from a Secret of the namespace',
			'THE_ENDPOINT: host viola:8080 is not in SECRET_ENDPOINT_HOSTS, and the viola token comes from spec.secrets.ref',
			'namespace',
			'viola token',
			ofProcess('http://viola:8080'),
			'',
		],
		[
			'from a Contrabass in the OpenstackConfig if it is the key of the environment',
			environment('spec.settings.own', 'c', 'Contrabass encryption key'),
			'environment',
			'Contrabass encryption key',
			own('http://c'),
			'',
		],
		[
			'from a host that a system of the OpenstackConfig returns, even if that system is in the list',
			environment('Keystone, named by spec.settings.own', 'evil', 'password'),
			'environment',
			'password',
			namedBy(own('http://listed'), 'Keystone', 'http://evil'),
			'listed',
		],
		[
			'from an endpoint of the environment if the OpenstackConfig chooses the trusted certificates',
			environment('spec.settings.openstackInsecureTLS', 'neutron', 'Keystone token'),
			'environment',
			'Keystone token',
			ofProcess('https://neutron', 'spec.settings.openstackInsecureTLS'),
			'',
		],
		[
			'from another port of a host in the list',
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

test('the value of a secret does not appear in JSON or in a field name', () => {
	const secret = createSecret('password', origins.environment, 'the-text')
	expect(JSON.stringify({ secret, fields: Object.keys(secret) })).not.toContain('the-text')
})
