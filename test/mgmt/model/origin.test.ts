import { expect, test } from 'vitest'
import { chosenEndpoint, type Endpoint, namedBy, stricterOf } from '../../../mgmt/model/origin.ts'

const own = (url: string, trustField?: string) => chosenEndpoint([['spec.own', url]], undefined, trustField) ?? expect.unreachable()
const ofProcess = (url: string, trustField?: string) => chosenEndpoint([], ['OWN', url], trustField) ?? expect.unreachable()
const origin = { environment: { source: 'environment', field: 'A' }, namespace: { source: 'namespace', field: 'b' } } as const

test.each<[sentence: string, endpoint: Endpoint | undefined, expected: object | undefined]>([
	[
		'an endpoint in a field of the OpenstackConfig originates from the namespace',
		own('http://a/'),
		{ url: 'http://a', source: 'namespace', field: 'spec.own' },
	],
	[
		'an endpoint in a variable originates from the environment',
		ofProcess('http://a//'),
		{ url: 'http://a', source: 'environment', field: 'OWN' },
	],
	[
		'the first field that is set takes precedence, also over the variable',
		chosenEndpoint(
			[
				['spec.one', undefined],
				['spec.two', 'http://two'],
				['spec.three', 'http://three'],
			],
			['OWN', 'http://own'],
		),
		{ url: 'http://two', field: 'spec.two' },
	],
	['only trailing slashes are removed', ofProcess(`http://a${'/'.repeat(1 << 20)}b/`), { url: `http://a${'/'.repeat(1 << 20)}b` }],
	[
		'there is no endpoint if neither the field nor the variable is set',
		chosenEndpoint([['spec.one', undefined]], ['OWN', undefined]),
		undefined,
	],
	[
		'an endpoint that a system of the environment returns originates from the environment',
		namedBy(ofProcess('https://a'), 'Keystone', 'https://b'),
		{ url: 'https://b', source: 'environment', field: 'Keystone, named by OWN' },
	],
	[
		'an endpoint that a system of the namespace returns originates from the namespace',
		namedBy(own('https://a'), 'Keystone', 'https://b'),
		{ source: 'namespace', field: 'Keystone, named by spec.own' },
	],
	[
		'an endpoint that is read with certificates from the OpenstackConfig originates from the namespace',
		namedBy(ofProcess('https://a', 'spec.settings.caBundle'), 'Keystone', 'https://b'),
		{ source: 'namespace' },
	],
	[
		'certificates from the OpenstackConfig do not affect the origin over plain HTTP',
		namedBy(ofProcess('http://a', 'spec.settings.caBundle'), 'Keystone', 'https://b'),
		{ source: 'environment' },
	],
])('%s', (_, endpoint, expected) => {
	if (expected) expect(endpoint).toMatchObject(expected)
	else expect(endpoint).toBeUndefined()
})

test.each([
	['environment', 'environment', 'environment'],
	['environment', 'namespace', 'environment'],
	['namespace', 'environment', 'environment'],
	['namespace', 'namespace', 'namespace'],
] as const)('the origins %s and %s combine to %s', (one, other, expected) => {
	expect(stricterOf(origin[one], origin[other])).toEqual(origin[expected])
})
