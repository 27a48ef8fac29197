import { expect, test } from 'vitest'
import type { NodeConfigView } from '../../contract/viola-api.ts'
import type { Port, Subnet } from '../../mgmt/openstack/neutron.ts'
import { planNodes, type World } from '../../mgmt/plan.ts'

const owner = { namespace: 'ns', name: 'own', uid: 'uid-own' }
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
const view = (nodeName: string, instanceId: string, interfaces: NodeConfigView['interfaces'] = [], more: Partial<NodeConfigView> = {}) =>
	[nodeName, { nodeName, instanceId, owner, generation: 1, deleting: false, resourceVersion: '1', interfaces, ...more }] as const
const other = { ...owner, name: 'other', uid: 'uid-other' }
const inSync = (more: Partial<NodeConfigView> | { owner: undefined }) =>
	new Map([view('worker-1', 'id-1', [nic(0, 1)], more as Partial<NodeConfigView>)])
const server = (n: number, name = `worker-${n}`) => ({ id: `id-${n}`, name, status: 'ACTIVE' })

function world(more: Partial<Omit<World, 'settings'>>, vms: string[] = ['worker-1'], nodeNameKey = ''): World {
	const settings = { vms, nodeNameKey, statuses: undefined } as unknown as World['settings']
	const known = { before: [], claims: new Map(), owner, others: new Set<string>(), remembered: new Map() }
	const empty = { ports: [], inForce: new Map(), ...known }
	return { settings, subnets: [subnet], networks: [{ id: 'net', mtu: 1450 }], servers: [server(1)], ...empty, ...more }
}

const send = (nodeName: string, interfaces: unknown[], instanceId = 'id-1') => ({ nodeName, instanceId, interfaces })

test.each<[sentence: string, world: World, expected: object]>([
	['a port of a selected VM is sent', world({ ports: [port(1)] }), { send: [send('worker-1', [nic(0, 1)])], faults: [] }],
	[
		'a port with the gateway address of its subnet is sent without a gateway',
		world({ ports: [port(1)], subnets: [{ ...subnet, gateway_ip: '10.0.0.11' }] }),
		{ send: [send('worker-1', [withoutGateway(nic(0, 1))])], faults: [] },
	],
	...['constructor', '__proto__', 'toString'].map((key): [string, World, object] => [
		`the node of a VM without metadata ${key} has the name of the VM`,
		world({ servers: [{ ...server(1), metadata: {} }], ports: [port(1)] }, ['worker-1'], key),
		{ send: [send('worker-1', [nic(0, 1)])], faults: [] },
	]),
	['a VM can be selected by its id', world({ ports: [port(1)] }, ['id-1']), { send: [send('worker-1', [nic(0, 1)])] }],
	[
		'an unchanged node config is not sent',
		world({ ports: [port(1)], inForce: new Map([view('worker-1', 'id-1', [nic(0, 1)])]) }),
		{ send: [], wanted: [{}] },
	],
	['every node is sent with its owner', world({ ports: [port(1)] }), { send: [{ owner }] }],
	['a node config without an owner is sent', world({ ports: [port(1)], inForce: inSync({ owner: undefined }) }), { send: [{ owner }] }],
	[
		'a node config of an OpenstackConfig that no longer exists is sent',
		world({ ports: [port(1)], inForce: inSync({ owner: other }) }),
		{ send: [{ owner }] },
	],
	[
		'a node config of another OpenstackConfig that exists is not sent to change its owner',
		world({ ports: [port(1)], inForce: inSync({ owner: other }), others: new Set([other.uid]) }),
		{ send: [] },
	],
	[
		'a node config is not sent only for its owner to a viola that stores none',
		world({ ports: [port(1)], inForce: inSync({ owner: undefined, resourceVersion: '' }) }),
		{ send: [] },
	],
	[
		'a node config that is being deleted is not sent only for its owner',
		world({ ports: [port(1)], inForce: inSync({ owner: undefined, deleting: true }) }),
		{ send: [] },
	],
	[
		'the ports of a node config that was deleted by hand keep the ids in the inventory',
		world({
			ports: [port(1), port(2)],
			remembered: new Map([
				[
					'worker-1',
					new Map([
						['port-1', 4],
						['port-2', 1],
					]),
				],
			]),
		}),
		{ send: [send('worker-1', [nic(1, 2), nic(4, 1)])] },
	],
	[
		'an empty list is sent when the last port is detached',
		world({ inForce: new Map([view('worker-1', 'id-1', [nic(0, 1)])]) }),
		{ send: [send('worker-1', [])] },
	],
	[
		'a port that is DOWN is sent and listed separately',
		world({ ports: [{ ...port(1), status: 'DOWN' }, port(2)] }),
		{ send: [send('worker-1', [nic(0, 1), nic(1, 2)])], down: ['port-1'] },
	],
	['nothing is sent for a VM that never had a port', world({}), { send: [], wanted: [send('worker-1', [])] }],
	[
		'an existing id other than 0 is kept',
		world({ ports: [port(1)], inForce: new Map([view('worker-1', 'id-1', [nic(7, 1)])]) }),
		{ send: [] },
	],
	[
		'a node config that a person changed is sent again',
		world({ ports: [port(1)], inForce: new Map([view('worker-1', 'id-1', [{ ...nic(0, 1), mtu: 9000 }])]) }),
		{ send: [send('worker-1', [nic(0, 1)])] },
	],
	[
		'a node config is sent when its node is recreated on a new VM',
		world({ inForce: new Map([view('worker-1', 'id-0')]) }),
		{ send: [send('worker-1', [])] },
	],
	[
		'the node name in the metadata takes precedence over the server name',
		world({ ports: [port(1)], servers: [{ ...server(1), metadata: { node: 'Edge-1' } }] }, ['worker-1'], 'node'),
		{ send: [send('edge-1', [nic(0, 1)])] },
	],
	[
		'the id of a server in a cell that is down is never used as a node name',
		world({ ports: [port(1)], servers: [{ id: 'id-1', status: 'UNKNOWN' }] }, ['id-1']),
		{ send: [], faults: [{ reason: 'NovaError' }] },
	],
	[
		'a server name that is not a valid node name is reported',
		world({ servers: [server(1, 'my vm')] }, ['my vm']),
		{ send: [], faults: [{ reason: 'NodeNameInvalid' }] },
	],
	[
		'two servers of the same name are reported',
		world({ servers: [server(1), server(2, 'worker-1')] }),
		{ send: [], faults: [{ reason: 'VmNotUnique' }] },
	],
	[
		'two VMs with the same node name are reported',
		world({ servers: [server(1), server(2, 'Worker-1')] }, ['id-1', 'id-2']),
		{ send: [], faults: [{ reason: 'Conflict', nodeName: 'worker-1' }] },
	],
	[
		'a node of an older OpenstackConfig is not sent',
		world({
			ports: [port(1)],
			before: ['worker-1'],
			inForce: new Map([view('worker-1', 'id-1')]),
			claims: new Map([['worker-1', 'ns/older']]),
		}),
		{ send: [], withdraw: [], kept: [], faults: [{ reason: 'Conflict' }] },
	],
	[
		'an eleventh port is reported, and the first ten are sent',
		world({ ports: Array.from({ length: 11 }, (_, n) => port(n)) }),
		{ send: [{ interfaces: { length: 10 } }], faults: [{ reason: 'TooManyPorts' }] },
	],
	[
		'an existing VM that is no longer selected is withdrawn',
		world({ servers: [server(1), server(2)], before: ['worker-2'], inForce: new Map([view('worker-2', 'id-2')]) }),
		{ withdraw: ['worker-2'], kept: [] },
	],
	[
		'a VM that no longer exists is withdrawn if Nova lists another one',
		world({ before: ['worker-2'], inForce: new Map([view('worker-2', 'id-2')]) }, ['worker-1', 'worker-2']),
		{ withdraw: ['worker-2'], faults: [{ reason: 'VmNotFound' }] },
	],
	[
		'nothing is withdrawn if Nova lists none of the selected VMs',
		world({ servers: [server(8)], before: ['worker-2'], inForce: new Map([view('worker-2', 'id-2')]) }, ['worker-2']),
		{ withdraw: [], kept: ['worker-2'] },
	],
	[
		'a renamed VM is sent with its new name and withdrawn with its old one',
		world({ servers: [server(1, 'renamed')], before: ['worker-1'], inForce: new Map([view('worker-1', 'id-1')]) }, ['id-1']),
		{ wanted: [{ nodeName: 'renamed' }], withdraw: ['worker-1'] },
	],
	[
		'a node is kept while Nova cannot return the name of its VM',
		world({ servers: [server(1), { id: 'id-2', status: 'UNKNOWN' }], before: ['worker-2'], inForce: new Map([view('worker-2', 'id-2')]) }, [
			'worker-1',
			'worker-2',
		]),
		{ withdraw: [], kept: ['worker-2'] },
	],
	[
		'a node with an unknown VM is kept',
		world({
			before: ['worker-2'],
			inForce: new Map([
				['worker-2', { nodeName: 'worker-2', owner, generation: 1, deleting: false, resourceVersion: '1', interfaces: [] }],
			]),
		}),
		{ withdraw: [], kept: ['worker-2'] },
	],
	['a node config that no longer exists is not withdrawn', world({ before: ['worker-2'] }), { withdraw: [], kept: [] }],
])('%s', (_, world, expected) => {
	expect(planNodes(world)).toMatchObject(expected)
})

test('a node beyond the size limit of the status is not sent; nodes that are already in the status are kept', () => {
	const names = Array.from({ length: 1_000 }, (_, n) => `new-${n}`)
	const servers = [...names, 'known'].map((name, n) => server(n, name))
	const inForce = new Map([view('gone', 'id-of-nobody'), view('known', 'id-1000')])
	const { wanted, withdraw, faults } = planNodes(world({ servers, before: ['known', 'gone'], inForce }, [...names.slice(1), 'known']))
	expect([wanted.length, wanted[0]?.nodeName, withdraw]).toEqual([999, 'known', ['gone']])
	expect(faults).toEqual([
		{
			reason: 'ConfigError',
			nodeName: 'new-999',
			message: 'node new-999 is not sent until other nodes are removed from the status, which is limited to 1000 nodes',
		},
	])
})
