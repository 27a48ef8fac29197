import { expect, test } from 'vitest'
import type { Change } from '../../mgmt/inventory/inventory.ts'
import { learnedFrom } from '../../mgmt/learn.ts'
import type { Plan, World } from '../../mgmt/plan.ts'

const owner = { namespace: 'ns', name: 'a', uid: 'uid' }
const actor = { kind: 'OpenstackConfig', name: 'ns/a' } as const
const nic = (id: number, portId: string) => ({ id, portId, macAddress: `fa:16:3e:00:00:0${id}` })
const node = (nodeName: string, ...portIds: string[]) => ({
	...{ nodeName, instanceId: `vm-${nodeName}`, owner },
	interfaces: portIds.map((portId, id) => nic(id, portId)),
})
const view = (nodeName: string, ...portIds: string[]) =>
	[nodeName, { ...node(nodeName, ...portIds), deleting: false, generation: 1, resourceVersion: '1' }] as const

const world = (more: Partial<World> = {}) =>
	({ settings: { providerId: 'biz' }, subnets: [], networks: [], ports: [], inForce: new Map(), ...more }) as unknown as World
const learned = (of: World, send: Plan['send'], applied: string[]): Change[] =>
	learnedFrom(of, { plan: { send } as unknown as Plan, applied: new Set(applied), actor, at: 5 })

const subnet = { id: 'sub', name: 'storage', cidr: '10.0.0.0/24', network_id: 'net' }

test.each<[sentence: string, learned: () => Change[], expected: Change[]]>([
	['nothing was sent', () => learned(world(), [], []), []],
	[
		'a node that viola accepted',
		() => learned(world({ ports: [{ id: 'p1' }] as never }), [node('a', 'p1')], ['a']),
		[{ kind: 'sent', at: 5, actor, providerId: 'biz', ...node('a', 'p1') }],
	],
	['a node that viola rejected is not learned', () => learned(world(), [node('a', 'p1')], []), []],
	[
		'a port that was an interface and is no longer attached',
		() => learned(world({ inForce: new Map([view('a', 'p1', 'p2')]), ports: [{ id: 'p2' }] as never }), [node('a', 'p2')], ['a']),
		[
			{ kind: 'sent', at: 5, actor, providerId: 'biz', ...node('a', 'p2') },
			{ kind: 'portGone', at: 5, providerId: 'biz', portId: 'p1' },
		],
	],
	[
		'a port that is not an interface any more, but still attached, is not gone',
		() => learned(world({ inForce: new Map([view('a', 'p1')]), ports: [{ id: 'p1' }] as never }), [node('a')], ['a']),
		[{ kind: 'sent', at: 5, actor, providerId: 'biz', ...node('a') }],
	],
	[
		'every subnet, with its network',
		() => learned(world({ subnets: [subnet], networks: [{ id: 'net', name: 'tenant', mtu: 1450 }] }), [], []),
		[
			{
				...{ kind: 'subnet', at: 5, subnetId: 'sub' },
				subnet: { name: 'storage', cidr: '10.0.0.0/24', networkId: 'net', networkName: 'tenant', mtu: 1450 },
			},
		],
	],
])('%s', (_, learned, expected) => {
	expect(learned()).toEqual(expected)
})
