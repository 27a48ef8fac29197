import { expect, test } from 'vitest'
import { notRecorded } from '../../mgmt/authority.ts'
import { readConfig } from '../../mgmt/config.ts'
import type { OpenstackConfig } from '../../mgmt/kind.ts'

const env = readConfig({ VIOLA_ENDPOINT: 'http://viola', VIOLA_ALLOWED_PROVIDERS: 'team=biz', SECRET_ENDPOINT_HOSTS: 'listed' })
const secrets = { violaTokenSecretRef: { name: 'own', key: 'token' } }

type Written = { namespace?: string; created?: string; violaEndpoint?: string; provider?: string; hasToken?: boolean }

function config(name: string, { namespace = 'team', created = '2026-01-02', violaEndpoint, provider = 'biz', hasToken }: Written = {}) {
	return {
		metadata: { namespace, name, creationTimestamp: created },
		spec: {
			credentials: { k8sProviderID: provider },
			...(violaEndpoint !== undefined && { settings: { violaEndpoint } }),
			...(hasToken && { secrets }),
		},
	} as OpenstackConfig
}
const rogue = (more: Written = {}) => config('rogue', { namespace: 'other', violaEndpoint: 'http://rogue', hasToken: true, ...more })

test.each<[sentence: string, own: OpenstackConfig, others: OpenstackConfig[], winner: string | undefined]>([
	['the only OpenstackConfig of a provider', config('a'), [], undefined],
	['two with the same viola', config('a'), [config('b', { created: '2026-01-01' })], undefined],
	['one of another provider', config('a'), [rogue({ provider: 'other', created: '2026-01-01' })], undefined],
	['a viola of an author, beside that of the environment', rogue({ created: '2026-01-01' }), [config('a')], 'team/a'],
	['that of the environment, beside a viola of an author', config('a'), [rogue({ created: '2026-01-01' })], undefined],
	[
		'a viola of an author, beside one on the list of hosts',
		rogue({ created: '2026-01-01' }),
		[config('a', { violaEndpoint: 'http://listed:8080', hasToken: true })],
		'team/a',
	],
	[
		'a viola of an author, beside an OpenstackConfig that may not use the provider',
		rogue(),
		[config('a', { namespace: 'elsewhere' })],
		undefined,
	],
	[
		'the younger of two authors with separate violas',
		rogue(),
		[rogue({ violaEndpoint: 'http://x', created: '2026-01-01' })],
		'other/rogue',
	],
	['the older of two authors with separate violas', rogue({ created: '2026-01-01' }), [rogue({ violaEndpoint: 'http://x' })], undefined],
	['an author without a usable URL', rogue({ violaEndpoint: 'not a URL' }), [config('a')], 'team/a'],
])('%s', (_, own, others, winner) => {
	const words = notRecorded(own, [own, ...others], env)
	if (winner === undefined) expect(words).toBeUndefined()
	else expect(words).toContain(`takes provider biz from the viola of ${winner}`)
})
