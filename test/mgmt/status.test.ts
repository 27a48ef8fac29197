import { expect, test } from 'vitest'
import { OpenstackConfigStatus } from '../../contract/openstack-config.ts'
import { claimsOf } from '../../mgmt/claims.ts'
import { type Config, readConfig } from '../../mgmt/config.ts'
import { advice, type MgmtReason, nextAfter, refuse, saying } from '../../mgmt/model/failures.ts'
import type { OpenstackConfig } from '../../mgmt/kind.ts'
import { type Outcome, statusAfter } from '../../mgmt/status.ts'
import { Failure } from '../../runtime/errors.ts'

const inventory = { state: 'available', since: 0 } as const
const now = { at: '2026-11-21T12:00:00.000Z', generation: 3, inventory }
const later = { ...now, at: '2026-11-21T12:05:00.000Z' }
type Done = Exclude<Outcome, { failure: unknown }>
const node = { nodeName: 'worker-1', instanceId: 'id-1', interfaces: [{ id: 0, macAddress: 'fa:16:3e:00:00:01' }] }
const done = (more: Partial<Done> = {}, plan: Partial<Done['plan']> = {}): Done => ({
	plan: { wanted: [node], send: [], withdraw: [], kept: [], down: [], faults: [], ...plan },
	inForce: new Map(),
	sent: new Set(),
	errors: new Map(),
	warnings: [],
	...more,
})
const view = (generation: number, status: object) =>
	new Map([['worker-1', { ...node, generation, deleting: false, resourceVersion: '1', status }]]) as Done['inForce']
const ready = { observedGeneration: 2, state: 'Configured' } as const

test.each<[sentence: string, outcome: Outcome, expected: object]>([
	[
		'a sent node is listed with its time',
		done({ sent: new Set(['worker-1']) }),
		{
			lastSyncedAt: now.at,
			nodes: [{ nodeName: 'worker-1', interfaces: 1, sent: now.at, state: 'Pending' }],
			conditions: [
				{ status: 'True', reason: 'Synced', message: '1 node, 1 interface: sent worker-1' },
				{ type: 'Degraded', status: 'False', reason: 'Healthy' },
				{ type: 'InventoryAvailable', status: 'True', reason: 'Available' },
			],
		},
	],
	[
		'the reason is NoChange if nothing was sent',
		done(),
		{ conditions: [{ type: 'Ready', status: 'True', reason: 'NoChange', observedGeneration: 3 }, {}, {}] },
	],
	[
		'a warning is part of the message without a failure',
		done({ warnings: ['x is deprecated'] }),
		{ conditions: [{ status: 'True', message: 'x is deprecated; 1 node, 1 interface: in sync with OpenStack' }, {}, {}] },
	],
	['the state of the node config is listed', done({ inForce: view(2, ready) }), { nodes: [{ state: 'Configured' }] }],
	[
		'the state of an older generation of the node config is not listed',
		done({ inForce: view(3, ready) }),
		{ nodes: [{ state: 'Pending' }] },
	],
	[
		'a failed node is listed with the message of its node config',
		done({
			inForce: view(2, { ...ready, state: 'Failed', conditions: [{ type: 'Ready', status: 'False', message: 'no link has MAC x' }] }),
		}),
		{ nodes: [{ state: 'Failed', message: 'no link has MAC x' }] },
	],
	[
		'a node that viola rejected is reported, and the other nodes continue',
		done({ errors: new Map([['worker-1', 'not so']]) }),
		{
			nodes: [{ state: 'Refused', message: 'not so' }],
			conditions: [
				{ status: 'False', reason: 'ViolaPostError', message: expect.stringMatching(/worker-1: not so. The other nodes continue; check/) },
				{ status: 'True', reason: 'Error' },
				{},
			],
		},
	],
	[
		'a fault determines the reason',
		done({}, { faults: [{ reason: 'VmNotFound', message: 'no VM x' }] }),
		{ lastError: 'VmNotFound: no VM x', conditions: [{ reason: 'VmNotFound' }, {}, {}] },
	],
	[
		'a kept node stays in the list, with the command to remove it',
		done({ inForce: view(2, ready) }, { wanted: [], kept: ['worker-1'] }),
		{
			nodes: [
				{
					nodeName: 'worker-1',
					interfaces: 1,
					state: 'Kept',
					message: expect.stringContaining('if it does not, run: kubectl delete mnnc worker-1'),
				},
			],
		},
	],
	[
		'a node whose withdrawal failed stays in the list',
		done({ inForce: view(2, ready), errors: new Map([['worker-1', 'could not']]) }, { wanted: [], withdraw: ['worker-1'] }),
		{ nodes: [{ nodeName: 'worker-1', state: 'Refused' }] },
	],
	['a withdrawn node is removed from the list', done({ inForce: view(2, ready) }, { wanted: [], withdraw: ['worker-1'] }), { nodes: [] }],
])('%s', (_, outcome, expected) => {
	const status = statusAfter(outcome, undefined, now)
	expect(status).toMatchObject(expected)
	expect(OpenstackConfigStatus.parse(status)).toEqual(status)
})

test('messages of remote systems and authors are a single line without control characters in every field', () => {
	const bad = 'a\u001b[31m\nb\u202e\u0085c\ud800'
	const good = 'a [31m b c\ufffd'
	const statuses = [
		statusAfter({ failure: { reason: 'NovaError', message: bad } }, undefined, now),
		statusAfter(done({ errors: new Map([['worker-1', bad]]) }), undefined, now),
		statusAfter(done({}, { faults: [{ reason: 'NodeNameInvalid', message: bad }] }), undefined, now),
		statusAfter(done({ inForce: view(2, { ...ready, conditions: [{ type: 'Ready', status: 'False', message: bad }] }) }), undefined, now),
	]
	for (const status of statuses) {
		expect(JSON.stringify(status)).toContain(good)
		expect(JSON.stringify(status)).not.toMatch(/\\u00|\\n|\u202e|\u0085|\\ud800/)
	}
	const long = statusAfter({ failure: { reason: 'NovaError', message: '\u202e'.repeat(32 << 20) } }, undefined, now)
	expect(OpenstackConfigStatus.parse(long)).toEqual(long)
})

test('a failure keeps the last state of the nodes, and is removed from the status when it is resolved', () => {
	const before = statusAfter(done({ sent: new Set(['worker-1']) }), undefined, now)
	const broken = statusAfter({ failure: { reason: 'NeutronPortError', message: 'neutron answered 503: down' } }, before, later)
	expect(broken).toMatchObject({
		lastSyncedAt: now.at,
		nodes: before.nodes,
		lastError: 'NeutronPortError: neutron answered 503: down',
		conditions: [{ status: 'False', lastTransitionTime: later.at }, {}, {}],
	})
	expect(
		statusAfter({ failure: { reason: 'NeutronPortError', message: 'neutron answered 503: down' } }, broken, {
			...later,
			at: '2027-01-01T00:00:00Z',
		}),
	).toEqual(broken)
	expect(statusAfter(done(), broken, later)).not.toHaveProperty('lastError')
})

test.each(Object.keys(advice) as MgmtReason[])('a long message with reason %s still contains the next step', reason => {
	const failure = { reason, message: 'x'.repeat(2000), next: nextAfter(refuse(reason, '')) }
	const [ready] = statusAfter({ failure }, undefined, now).conditions ?? []
	expect(ready?.message).toHaveLength(256)
	expect(ready?.message).toContain(advice[reason])
})

const down = new Failure('SERVER_ERROR', 'GET http://contrabass:8080/v1/provider/x answered 503: try later', {
	facts: { method: 'GET', url: 'http://contrabass:8080/v1/provider/x', status: 503 },
})
const told = (reason: MgmtReason, error: Error) =>
	saying(reason, 'it could not be read', () => Promise.reject(error)).then(
		() => expect.unreachable(),
		(failure: Failure<MgmtReason>) => failure,
	)

test('a failed call is reported by its host, and a failure that is already reported is not wrapped again', async () => {
	const failure = await told('ContrabassError', down)
	expect(failure).toMatchObject({ code: 'ContrabassError', message: 'it could not be read: contrabass:8080 answered 503: try later' })
	expect(await told('NovaError', failure)).toBe(failure)
	expect(await told('NovaError', new TypeError('a bug'))).toBeInstanceOf(TypeError)
})

test.each<[sentence: string, failure: () => Promise<Failure<MgmtReason>>, words: RegExp]>([
	[
		'the next step for a wrong key is to correct it',
		async () => refuse('ContrabassError', ''),
		/^No changes were sent.*the encryption key$/,
	],
	[
		'the next step for a Contrabass that fails is to check it',
		() => told('ContrabassError', down),
		/^No changes were sent.*check contrabassEndpoint and/,
	],
	[
		'the next step for a Keystone that fails is not to check the password',
		() => told('KeystoneError', down),
		/^No changes were sent.*check Keystone;/,
	],
	[
		'the message about a failed POST does not state that no changes were sent',
		() => told('ViolaPostError', down),
		/^It is retried automatically; check viola/,
	],
])('%s', async (_, failure, words) => {
	expect(nextAfter(await failure())).toMatch(words)
})

const config = (name: string, created: string, provider: string, nodes: string[]) =>
	({
		metadata: { namespace: 'ns', name, creationTimestamp: created },
		spec: { credentials: { k8sProviderID: provider } },
		status: { nodes: nodes.map(nodeName => ({ nodeName, interfaces: 1 })) },
	}) as OpenstackConfig

test('the older OpenstackConfig of a cluster claims a node; at the same age the name decides; another cluster does not conflict', () => {
	const own = config('m', '2026-01-02', 'biz', ['x'])
	const all = [
		own,
		config('z', '2026-01-01', 'biz', ['a']),
		config('b', '2026-01-02', 'biz', ['b']),
		config('y', '2026-01-02', 'biz', ['c']),
		config('c', '2026-01-01', 'other', ['d']),
	]
	expect(claimsOf(own, all, {})).toEqual(
		new Map([
			['a', 'ns/z'],
			['b', 'ns/b'],
		]),
	)
})

const env = readConfig({ VIOLA_ENDPOINT: 'http://viola/', VIOLA_ALLOWED_PROVIDERS: 'ns=biz;other=other' })
const elsewhere = (more: { settings?: object; secrets?: object }): OpenstackConfig => {
	const { metadata, spec, ...rest } = config('a', '2026-01-01', 'biz', ['x'])
	return { ...rest, metadata: { ...metadata, namespace: 'other' }, spec: { ...spec, ...more } as OpenstackConfig['spec'] }
}
const violaTokenSecretRef = { name: 'own', key: 'token' }

test.each<[sentence: string, other: OpenstackConfig, env: Config, claimed: string[]]>([
	['of another namespace that may use the token for the cluster', elsewhere({}), { ...env, VIOLA_ALLOWED_PROVIDERS: undefined }, ['x']],
	[
		'of another namespace that sets the same viola endpoint itself',
		elsewhere({ settings: { violaEndpoint: 'http://viola' } }),
		readConfig({ VIOLA_ENDPOINT: 'http://viola/' }),
		['x'],
	],
	['of another namespace that may not use the token for the cluster', elsewhere({}), env, []],
	[
		'of another namespace that has its own viola',
		elsewhere({ settings: { violaEndpoint: 'http://own' } }),
		readConfig({ VIOLA_ENDPOINT: 'http://viola/' }),
		[],
	],
	[
		'of another namespace that has its own token',
		elsewhere({ secrets: { violaTokenSecretRef } }),
		readConfig({ VIOLA_ENDPOINT: 'http://viola/' }),
		[],
	],
	['of the same namespace', config('a', '2026-01-01', 'biz', ['x']), env, ['x']],
])('nodes claimed by the older OpenstackConfig: %s', (_, other, env, claimed) => {
	expect([...claimsOf(config('m', '2026-01-02', 'biz', []), [other], env).keys()]).toEqual(claimed)
})
