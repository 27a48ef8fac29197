import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { GoDuration, OpenstackConfigSpec } from '../../contract/openstack-config.ts'
import { type DownLooks, lookAtDown, nextPoll } from '../../mgmt/cadence.ts'
import { readConfig, startWarnings } from '../../mgmt/config.ts'
import { settingsOf, warningsOf } from '../../mgmt/settings.ts'
import { parseDuration } from '../../runtime/env.ts'

const env = readConfig({ CONTRABASS_ENDPOINT: 'http://contrabass/', VIOLA_ENDPOINT: 'http://viola/', VIOLA_TOKEN: 'a-token' })
const credentials = { openstackProviderID: 'os', k8sProviderID: 'biz', projectID: 'p' }
const spec = (more: Partial<OpenstackConfigSpec> = {}): OpenstackConfigSpec => ({ vmNames: ['vm'], subnetID: 'sub', credentials, ...more })

test.each<[sentence: string, spec: OpenstackConfigSpec, expected: object]>([
	['the biz cluster is the k8sProviderID', spec(), { providerId: 'biz' }],
	[
		'without a k8sProviderID, the biz cluster is the openstackProviderID',
		spec({ credentials: { openstackProviderID: 'os', projectID: 'p' } }),
		{ providerId: 'os' },
	],
	[
		'names and ids of VMs are combined into one list without duplicates',
		spec({ vmNames: ['a', 'b'], vmIDs: ['b', 'c'] }),
		{ vms: ['a', 'b', 'c'] },
	],
	[
		'subnetIDs take precedence over subnetID and subnetName',
		spec({ subnetIDs: ['x', 'y', 'x'], subnetName: 'n' }),
		{ subnets: { ids: ['x', 'y'] } },
	],
	['subnetName is used without an id', { vmNames: ['vm'], credentials, subnetName: 'n' }, { subnets: { name: 'n' } }],
	[
		'a trailing slash of an endpoint is removed',
		spec(),
		{ viola: { endpoint: { url: 'http://viola' } }, contrabass: { endpoint: { url: 'http://contrabass' }, openstackProviderId: 'os' } },
	],
	[
		'the settings of the OpenstackConfig take precedence over the environment',
		spec({ settings: { violaEndpoint: 'https://own', violaTimeout: '5s', pollFastInterval: '2s' } }),
		{ viola: { endpoint: { url: 'https://own' }, timeoutMs: 5000 }, poll: { fastMs: 2000, slowMs: 300_000 } },
	],
	[
		'the slow poll interval is never shorter than the fast one',
		spec({ settings: { pollFastInterval: '10m' } }),
		{ poll: { fastMs: 600_000, slowMs: 600_000 } },
	],
	[
		'every poll interval is at least one second',
		spec({ settings: { pollFastInterval: '0s', pollSlowInterval: '1ms', pollErrorInterval: '0.1s' } }),
		{ poll: { fastMs: 1_000, slowMs: 1_000, errorMs: 1_000 } },
	],
	['the default statuses are ACTIVE and DOWN', spec(), { statuses: new Set(['ACTIVE', 'DOWN']) }],
	[
		'the letter case of statuses is ignored',
		spec({ settings: { openstackPortAllowedStatuses: ['active '] } }),
		{ statuses: new Set(['ACTIVE']) },
	],
	['an asterisk allows every status', spec({ settings: { openstackPortAllowedStatuses: ['*'] } }), { statuses: undefined }],
])('%s', (_, spec, expected) => {
	expect(settingsOf(spec, env)).toMatchObject(expected)
})

test('a direct login to Keystone needs no Contrabass', () => {
	const direct = spec({ credentials: { k8sProviderID: 'biz', projectID: 'p', authURL: 'http://keystone' } })
	expect(settingsOf(direct, env)).not.toHaveProperty('contrabass')
})

test('a secret in the OpenstackConfig itself causes a warning without the secret', () => {
	expect(warningsOf(spec())).toEqual([])
	expect(warningsOf(spec({ credentials: { ...credentials, password: 'the-password' } }))).toEqual([
		expect.stringMatching(/^spec.credentials.password is deprecated(?!.*the-password).*use passwordSecretRef$/),
	])
	expect(warningsOf(spec({ settings: { contrabassEncryptKey: 'the-key' } }))).toEqual([
		expect.stringMatching(/^spec.settings.contrabassEncryptKey is deprecated(?!.*the-key).*use secrets.contrabassEncryptKeySecretRef$/),
	])
})

test.each<[sentence: string, spec: OpenstackConfigSpec, env: typeof env, words: string]>([
	['no VM', spec({ vmNames: [] }), env, 'spec.vmNames'],
	[
		'more VMs than a status can list',
		spec({ vmNames: Array.from({ length: 600 }, (_, n) => `a${n}`), vmIDs: Array.from({ length: 401 }, (_, n) => `b${n}`) }),
		env,
		'name 1001 VMs, and at most 1000 are allowed',
	],
	['no subnet', { vmNames: ['vm'], credentials }, env, 'spec.subnetIDs'],
	[
		'no viola',
		spec(),
		readConfig({ CONTRABASS_ENDPOINT: 'http://c' }),
		'spec.settings.violaEndpoint: required unless VIOLA_ENDPOINT is set',
	],
	['no Contrabass', spec(), readConfig({ VIOLA_ENDPOINT: 'http://v' }), 'spec.settings.contrabassEndpoint'],
])('%s is reported with its field', (_, spec, env, words) => {
	expect(() => settingsOf(spec, env)).toThrow(words)
})

test('an invalid environment is reported with every variable, and without values', () => {
	const read = () =>
		readConfig({ VIOLA_ENDPOINT: 'nowhere', POLL_FAST_INTERVAL: 'soon', MGMT_ADDR: 'x', CONTRABASS_ENCRYPT_KEY: 'the-key' })
	expect(read).toThrow(/VIOLA_ENDPOINT[\s\S]*POLL_FAST_INTERVAL[\s\S]*MGMT_ADDR/)
	expect(read).not.toThrow(/the-key/)
})

test.each<[sentence: string, env: Record<string, string>, warnings: unknown[]]>([
	[
		'a viola token that is allowed for every provider id causes a warning',
		{ VIOLA_TOKEN: 't' },
		[expect.stringMatching(/^VIOLA_ALLOWED_PROVIDERS is not set/)],
	],
	['a viola token that is limited to provider ids causes no warning', { VIOLA_TOKEN: 't', VIOLA_ALLOWED_PROVIDERS: 'team-a=biz-1' }, []],
	['no viola token causes no warning', {}, []],
])('%s', (_, env, warnings) => {
	expect(startWarnings(readConfig(env))).toEqual(warnings)
})

describe('OpenStack is polled again', () => {
	const poll = { fastMs: 20_000, slowMs: 300_000, errorMs: 30_000, windowMs: 180_000, downPortLooks: 2 }
	const calm = { nowMs: 1_000_000, lastSentMs: undefined, failed: false, chance: 0 }
	test.each<[sentence: string, moment: Parameters<typeof nextPoll>[1], ms: number]>([
		['after the slow interval if nothing was sent', calm, 300_000],
		['after the fast interval if something was sent recently', { ...calm, lastSentMs: 900_000 }, 20_000],
		['after the slow interval if something was sent long ago', { ...calm, lastSentMs: 800_000 }, 300_000],
		['after the fast interval while a port is DOWN', { ...calm, down: { ports: 'a', times: 2 } }, 20_000],
		['after the slow interval if a port stays DOWN', { ...calm, down: { ports: 'a', times: 3 } }, 300_000],
		['after the error interval if the last poll failed', { ...calm, failed: true }, 30_000],
		['up to a tenth later, so that polls are spread over time', { ...calm, chance: 0.5 }, 315_000],
	])('%s', (_, moment, ms) => {
		expect(nextPoll(poll, moment)).toBe(ms)
	})
})

test.each<[sentence: string, looks: string[][], times: number | undefined]>([
	['polls without a DOWN port are not counted', [[]], undefined],
	[
		'the count continues for the same ports in any order',
		[
			['a', 'b'],
			['b', 'a'],
			['a', 'b'],
		],
		3,
	],
	['the count restarts at 1 with another port', [['a'], ['a'], ['a', 'b']], 1],
	['the count restarts at 1 for a port that is DOWN again', [['a'], ['a'], [], ['a']], 1],
])('%s', (_, looks, times) => {
	expect(looks.reduce<DownLooks | undefined>((before, ports) => lookAtDown(ports, before), undefined)?.times).toBe(times)
})

test('DOWN ports get five fast polls, or the number in the OpenstackConfig, which may be 0', () => {
	const looks = (downPortFastRetryMax?: number) =>
		settingsOf(spec(downPortFastRetryMax === undefined ? {} : { settings: { downPortFastRetryMax } }), env).poll.downPortLooks
	expect([looks(), looks(9), looks(0)]).toEqual([5, 9, 0])
})

test('every duration that the CRD allows in an OpenstackConfig can be parsed', () => {
	const part = fc.tuple(fc.nat(99_999_999), fc.constantFrom('', '.5', '.12345678'), fc.constantFrom('ms', 's', 'm', 'h'))
	const any = fc.array(part, { minLength: 1 }).map(parts => parts.flat().join(''))
	fc.assert(fc.property(any, text => !GoDuration.safeParse(text).success || parseDuration(text) !== undefined))
	expect(parseDuration('99999999h99999999h99999999h9999h')).toBeDefined()
})

test.each(['http://[', 'http://host:99999', 'https://'])('%s is not a valid URL', violaEndpoint => {
	const { error } = OpenstackConfigSpec.safeParse(spec({ settings: { violaEndpoint } }))
	expect(error?.issues.map(({ path }) => path.join('.'))).toContain('settings.violaEndpoint')
})
