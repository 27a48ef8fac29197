import { describe, expect, test } from 'vitest'
import { readConfig } from '../../../mgmt/config.ts'
import { AllowedProviders, providerRefusal } from '../../../mgmt/disclosure/providers.ts'

const field = 'spec.credentials.k8sProviderID'
const token = {
	environment: { source: 'environment', field: 'VIOLA_TOKEN' },
	namespace: { source: 'namespace', field: 'a Secret' },
} as const
const refusal = (list: string | undefined, namespace: string, providerId: string, source: keyof typeof token = 'environment') => {
	const allowed = list === undefined ? undefined : AllowedProviders.parse(list)
	return providerRefusal({ token: token[source], namespace, providerId, field, allowed })
}

describe("mgmt's own viola token", () => {
	test.each<[sentence: string, list: string | undefined, namespace: string, providerId: string]>([
		['is allowed for every provider if nothing is set', undefined, 'team-a', 'biz-1'],
		['is allowed for the only provider of a namespace', 'team-a=biz-1', 'team-a', 'biz-1'],
		['is allowed for each provider of a namespace', 'team-a=biz-1,biz-2', 'team-a', 'biz-2'],
		['is allowed for the providers of each namespace', 'team-a=biz-1;team-b=biz-2', 'team-b', 'biz-2'],
		['is allowed by a list with spaces and a trailing semicolon', ' team-a = biz-1 , biz-2 ; ', 'team-a', 'biz-2'],
		['is allowed for an id that contains =', 'team-a=biz=1', 'team-a', 'biz=1'],
	])('%s', (_, list, namespace, providerId) => {
		expect(refusal(list, namespace, providerId)).toBeUndefined()
	})

	test.each<[sentence: string, words: string, ...question: Parameters<typeof refusal>]>([
		['another provider', 'VIOLA_ALLOWED_PROVIDERS does not allow biz-2 for namespace team-a', 'team-a=biz-1', 'team-a', 'biz-2'],
		['the provider of another namespace', 'does not allow biz-2 for namespace team-a', 'team-a=biz-1;team-b=biz-2', 'team-a', 'biz-2'],
		['a namespace without an entry', 'namespace team-b has no entry in VIOLA_ALLOWED_PROVIDERS', 'team-a=biz-1', 'team-b', 'biz-1'],
		['a provider in another letter case', 'does not allow BIZ-1', 'team-a=biz-1', 'team-a', 'BIZ-1'],
		['a provider with a trailing space', 'does not allow biz-1 ', 'team-a=biz-1', 'team-a', 'biz-1 '],
		['any provider if the list is empty', 'has no entry', ';', 'team-a', 'biz-1'],
	])('is not allowed for %s', (_, words, ...question) => {
		for (const part of [`${field}: `, words, 'the viola token comes from the environment of mgmt'])
			expect(refusal(...question)).toContain(part)
	})
})

test('a viola token of the namespace is allowed for every provider', () => {
	expect(refusal('team-a=biz-1', 'team-b', 'biz-2', 'namespace')).toBeUndefined()
})

test.each([
	['biz-1', 'must be namespace=id'],
	['=biz-1', 'must be namespace=id'],
	['team-a=', 'must be namespace=id'],
	['team-a=,', 'must be namespace=id'],
	['Team=biz-1', 'must be namespace=id'],
	[`${'a'.repeat(64)}=biz-1`, 'must be namespace=id'],
	['team-a=ü', 'must be namespace=id'],
	['fine=biz-9', 'names a namespace twice'],
])('the entry %s is rejected at startup', (entry, words) => {
	expect(() => readConfig({ VIOLA_ALLOWED_PROVIDERS: `fine=biz-1;${entry}` })).toThrow(`VIOLA_ALLOWED_PROVIDERS: "${entry}" ${words}`)
})
