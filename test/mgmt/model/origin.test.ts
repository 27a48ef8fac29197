import { expect, test } from 'vitest'
import { chosenEndpoint, type Endpoint, namedBy, stricterOf } from '../../../mgmt/model/origin.ts'

const own = (url: string, trustField?: string) => chosenEndpoint([['spec.own', url]], undefined, trustField) ?? expect.unreachable()
const ofProcess = (url: string, trustField?: string) => chosenEndpoint([], ['OWN', url], trustField) ?? expect.unreachable()
const origin = { environment: { source: 'environment', field: 'A' }, namespace: { source: 'namespace', field: 'b' } } as const

test.each<[sentence: string, endpoint: Endpoint | undefined, expected: object | undefined]>([
	['a field of the OpenstackConfig is of the namespace', own('http://a/'), { url: 'http://a', source: 'namespace', field: 'spec.own' }],
	['a variable is of the environment', ofProcess('http://a//'), { url: 'http://a', source: 'environment', field: 'OWN' }],
	[
		'the first field that is set counts, before the variable',
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
	['of many slashes only the last ones go', ofProcess(`http://a${'/'.repeat(1 << 20)}b/`), { url: `http://a${'/'.repeat(1 << 20)}b` }],
	['nothing that is set is no endpoint', chosenEndpoint([['spec.one', undefined]], ['OWN', undefined]), undefined],
	[
		'what a system of the environment names is of the environment',
		namedBy(ofProcess('https://a'), 'Keystone', 'https://b'),
		{ url: 'https://b', source: 'environment', field: 'Keystone, named by OWN' },
	],
	[
		'what a system of the namespace names is of the namespace',
		namedBy(own('https://a'), 'Keystone', 'https://b'),
		{ source: 'namespace', field: 'Keystone, named by spec.own' },
	],
	[
		'what is read under certificates that the OpenstackConfig chose is of the namespace',
		namedBy(ofProcess('https://a', 'spec.settings.caBundle'), 'Keystone', 'https://b'),
		{ source: 'namespace' },
	],
	[
		'without encryption no certificate was chosen',
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
