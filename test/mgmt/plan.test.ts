import { expect, test } from 'vitest'
import type { NodeConfigView } from '../../contract/viola-api.ts'
import type { Port, Subnet } from '../../mgmt/openstack/neutron.ts'
import { planNodes, type World } from '../../mgmt/plan.ts'

const subnet: Subnet = { id: 'sub', name: 'sub', network_id: 'net', cidr: '10.0.0.0/24', gateway_ip: '10.0.0.1' }
const port = (n: number, device_id = 'id-1'): Port => ({
	id: `port-${n}`,
	network_id: 'net',
	mac_address: `fa:16:3e:00:00:${n.toString(16).padStart(2, '0')}`,
	status: 'ACTIVE',
	device_id,
	fixed_ips: [{ subnet_id: 'sub', ip_address: `10.0.0.${n + 10}` }],
})
const nic = (id: number, n: number) => ({
	id,
	name: `multinic${id}`,
	portId: `port-${n}`,
	networkId: 'net',
	subnetId: 'sub',
	macAddress: port(n).mac_address,
	address: `10.0.0.${n + 10}`,
	cidr: '10.0.0.0/24',
	mtu: 1450,
	gateway: '10.0.0.1',
})
const withoutGateway = ({ gateway: _, ...rest }: ReturnType<typeof nic>) => rest
const view = (nodeName: string, instanceId: string, interfaces: NodeConfigView['interfaces'] = []) =>
	[nodeName, { nodeName, instanceId, generation: 1, interfaces }] as const
const server = (n: number, name = `worker-${n}`) => ({ id: `id-${n}`, name, status: 'ACTIVE' })

function world(more: Partial<Omit<World, 'settings'>>, vms: string[] = ['worker-1'], nodeNameKey = ''): World {
	const settings = { vms, nodeNameKey, statuses: undefined } as unknown as World['settings']
	const empty = { ports: [], inForce: new Map(), before: [], claims: new Map() }
	return { settings, subnets: [subnet], networks: [{ id: 'net', mtu: 1450 }], servers: [server(1)], ...empty, ...more }
}

const send = (nodeName: string, interfaces: unknown[], instanceId = 'id-1') => ({ nodeName, instanceId, interfaces })

test.each<[sentence: string, world: World, expected: object]>([
	['a port of a named VM is sent', world({ ports: [port(1)] }), { send: [send('worker-1', [nic(0, 1)])], faults: [] }],
	[
		'a port that is the gateway of its subnet is no next hop of itself',
		world({ ports: [port(1)], subnets: [{ ...subnet, gateway_ip: '10.0.0.11' }] }),
		{ send: [send('worker-1', [withoutGateway(nic(0, 1))])], faults: [] },
	],
	...['constructor', '__proto__', 'toString'].map((key): [string, World, object] => [
		`a VM without metadata ${key} is called by its name`,
		world({ servers: [{ ...server(1), metadata: {} }], ports: [port(1)] }, ['worker-1'], key),
		{ send: [send('worker-1', [nic(0, 1)])], faults: [] },
	]),
	['a VM may be named by its id', world({ ports: [port(1)] }, ['id-1']), { send: [send('worker-1', [nic(0, 1)])] }],
	[
		'what is in force already is not sent',
		world({ ports: [port(1)], inForce: new Map([view('worker-1', 'id-1', [nic(0, 1)])]) }),
		{ send: [], wanted: [{}] },
	],
	[
		'the last port detached sends an empty list',
		world({ inForce: new Map([view('worker-1', 'id-1', [nic(0, 1)])]) }),
		{ send: [send('worker-1', [])] },
	],
	[
		'a port that is DOWN is sent, and told apart',
		world({ ports: [{ ...port(1), status: 'DOWN' }, port(2)] }),
		{ send: [send('worker-1', [nic(0, 1), nic(1, 2)])], down: ['port-1'] },
	],
	['a VM that never had a port is left alone', world({}), { send: [], wanted: [send('worker-1', [])] }],
	[
		'an id that is not 0 stays what it is',
		world({ ports: [port(1)], inForce: new Map([view('worker-1', 'id-1', [nic(7, 1)])]) }),
		{ send: [] },
	],
	[
		'what a person changed is sent again',
		world({ ports: [port(1)], inForce: new Map([view('worker-1', 'id-1', [{ ...nic(0, 1), mtu: 9000 }])]) }),
		{ send: [send('worker-1', [nic(0, 1)])] },
	],
	['a node made anew is sent for its new VM', world({ inForce: new Map([view('worker-1', 'id-0')]) }), { send: [send('worker-1', [])] }],
	[
		'a metadata key names the node before the server does',
		world({ ports: [port(1)], servers: [{ ...server(1), metadata: { node: 'Edge-1' } }] }, ['worker-1'], 'node'),
		{ send: [send('edge-1', [nic(0, 1)])] },
	],
	[
		'a server in a cell that is down is never called by its id',
		world({ ports: [port(1)], servers: [{ id: 'id-1', status: 'UNKNOWN' }] }, ['id-1']),
		{ send: [], faults: [{ reason: 'NovaError' }] },
	],
	[
		'a name no node can have is said',
		world({ servers: [server(1, 'my vm')] }, ['my vm']),
		{ send: [], faults: [{ reason: 'NodeNameInvalid' }] },
	],
	[
		'two servers of one name are said',
		world({ servers: [server(1), server(2, 'worker-1')] }),
		{ send: [], faults: [{ reason: 'VmNotUnique' }] },
	],
	[
		'two VMs that say they are one node are said',
		world({ servers: [server(1), server(2, 'Worker-1')] }, ['id-1', 'id-2']),
		{ send: [], faults: [{ reason: 'Conflict', nodeName: 'worker-1' }] },
	],
	[
		'a node of an older OpenstackConfig is left to it',
		world({
			ports: [port(1)],
			before: ['worker-1'],
			inForce: new Map([view('worker-1', 'id-1')]),
			claims: new Map([['worker-1', 'ns/older']]),
		}),
		{ send: [], withdraw: [], kept: [], faults: [{ reason: 'Conflict' }] },
	],
	[
		'the eleventh port is said and the ten are sent',
		world({ ports: Array.from({ length: 11 }, (_, n) => port(n)) }),
		{ send: [{ interfaces: { length: 10 } }], faults: [{ reason: 'TooManyPorts' }] },
	],
	[
		'a VM that is there and no longer named gives its node back',
		world({ servers: [server(1), server(2)], before: ['worker-2'], inForce: new Map([view('worker-2', 'id-2')]) }),
		{ withdraw: ['worker-2'], kept: [] },
	],
	[
		'a VM that is gone gives its node back, for another one is seen',
		world({ before: ['worker-2'], inForce: new Map([view('worker-2', 'id-2')]) }, ['worker-1', 'worker-2']),
		{ withdraw: ['worker-2'], faults: [{ reason: 'VmNotFound' }] },
	],
	[
		'when no named VM is seen at all, nothing is taken back',
		world({ servers: [server(8)], before: ['worker-2'], inForce: new Map([view('worker-2', 'id-2')]) }, ['worker-2']),
		{ withdraw: [], kept: ['worker-2'] },
	],
	[
		'a VM that got another name takes its node along',
		world({ servers: [server(1, 'renamed')], before: ['worker-1'], inForce: new Map([view('worker-1', 'id-1')]) }, ['id-1']),
		{ wanted: [{ nodeName: 'renamed' }], withdraw: ['worker-1'] },
	],
	[
		'a node whose VM Nova cannot name now is kept',
		world({ servers: [server(1), { id: 'id-2', status: 'UNKNOWN' }], before: ['worker-2'], inForce: new Map([view('worker-2', 'id-2')]) }, [
			'worker-1',
			'worker-2',
		]),
		{ withdraw: [], kept: ['worker-2'] },
	],
	[
		'a node whose VM is unknown is kept',
		world({ before: ['worker-2'], inForce: new Map([['worker-2', { nodeName: 'worker-2', generation: 1, interfaces: [] }]]) }),
		{ withdraw: [], kept: ['worker-2'] },
	],
	['a node that is gone from the cluster needs nothing', world({ before: ['worker-2'] }), { withdraw: [], kept: [] }],
])('%s', (_, world, expected) => {
	expect(planNodes(world)).toMatchObject(expected)
})

test('a node that exceeds the limit of the status is not sent; those that it already lists stay', () => {
	const names = Array.from({ length: 1_000 }, (_, n) => `new-${n}`)
	const servers = [...names, 'known'].map((name, n) => server(n, name))
	const inForce = new Map([view('gone', 'id-of-nobody'), view('known', 'id-1000')])
	const { wanted, withdraw, faults } = planNodes(world({ servers, before: ['known', 'gone'], inForce }, [...names.slice(1), 'known']))
	expect([wanted.length, wanted[0]?.nodeName, withdraw]).toEqual([999, 'known', ['gone']])
	expect(faults).toEqual([
		{
			reason: 'ConfigError',
			nodeName: 'new-999',
			message: 'node new-999 is not sent before others are removed from the status, which is limited to 1000 nodes',
		},
	])
})
