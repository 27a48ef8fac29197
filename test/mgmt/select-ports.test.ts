import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { Port, Subnet } from '../../mgmt/openstack/neutron.ts'
import { downPorts, selectPorts } from '../../mgmt/select-ports.ts'

const vm = 'vm-1'
const subnet = (id: string, more: Partial<Subnet> = {}): Subnet => ({ id, name: id, network_id: `net-${id}`, cidr: '10.0.0.0/24', ...more })
const a = subnet('a')
const b = subnet('b')
const port = (id: string, on: Subnet = a, more: Partial<Port> = {}): Port => ({
	id,
	network_id: on.network_id,
	mac_address: `fa:16:3e:00:00:${id.padStart(2, '0')}`,
	status: 'ACTIVE',
	device_id: vm,
	fixed_ips: [{ subnet_id: on.id, ip_address: '10.0.0.5' }],
	...more,
})
const made = (id: string, second: number) => port(id, a, { created_at: `2026-01-01T00:00:${second}Z` })
const usual = { subnets: [a, b], statuses: new Set(['ACTIVE', 'DOWN']), inForce: new Set<string>() }

test.each<[sentence: string, ports: Port[], selection: Partial<typeof usual> | { statuses: undefined }, ids: string[]]>([
	['a port of the VM in a selected subnet is used', [port('1')], {}, ['1']],
	['a port of another VM is not used', [port('1', a, { device_id: 'vm-2' })], {}, []],
	['a detached port is not used', [port('1', a, { device_id: '' })], {}, []],
	['a port in another subnet is not used', [port('1', subnet('c'))], {}, []],
	['a port without an address is not used', [port('1', a, { fixed_ips: [] })], {}, []],
	['a port that is DOWN is used', [port('1', a, { status: 'DOWN' })], {}, ['1']],
	['a port in BUILD is not used yet', [port('1', a, { status: 'BUILD' })], {}, []],
	['a port in BUILD that is already an interface is kept', [port('1', a, { status: 'BUILD' })], { inForce: new Set(['1']) }, ['1']],
	['a detached port that is an interface is removed', [port('1', a, { device_id: '' })], { inForce: new Set(['1']) }, []],
	['without a filter, a port with any status is used', [port('1', a, { status: 'ERROR' })], { statuses: undefined }, ['1']],
	['a port without a status is used', [port('1', a, { status: '' })], {}, ['1']],
	[
		'ports are sorted by the order of subnets, then by the time of their creation, then by id',
		[port('1', b), made('2', 20), made('5', 10), made('4', 10), port('3')],
		{},
		['4', '5', '2', '3', '1'],
	],
])('%s', (_, ports, selection, ids) => {
	expect(selectPorts(ports, vm, { ...usual, ...selection }).map(({ port }) => port.id)).toEqual(ids)
})

test('downPorts returns the DOWN ports in the selected subnets, including those that are not interfaces', () => {
	const down = { status: 'DOWN' }
	expect(downPorts([port('1', a, down), port('2'), port('3', subnet('c'), down), port('4', b, { status: 'down' })], [a, b])).toEqual([
		'1',
		'4',
	])
})

test('additional addresses have their prefix, except those that the guest configures itself', () => {
	const six = subnet('six', { network_id: a.network_id, cidr: '2001:db8::/64' })
	const slaac = subnet('slaac', { network_id: a.network_id, cidr: '2001:db8:1::/64', ipv6_address_mode: 'slaac' })
	const fixed_ips = [
		{ subnet_id: 'six', ip_address: '2001:db8::5' },
		{ subnet_id: 'slaac', ip_address: '2001:db8:1::5' },
		{ subnet_id: 'a', ip_address: '10.0.0.5' },
		{ subnet_id: 'a', ip_address: '10.0.0.6' },
		{ subnet_id: 'unnamed', ip_address: '10.9.0.6' },
	]
	const [selected] = selectPorts([port('1', a, { fixed_ips })], vm, { ...usual, subnets: [a, six, slaac] })
	expect(selected).toMatchObject({ subnet: a, address: '10.0.0.5', addresses: ['2001:db8::5/64', '10.0.0.6/24'] })
})

test('recorded ports are parsed and selected', () => {
	const read = (name: string): unknown =>
		JSON.parse(readFileSync(new URL(`../fixtures/openstack/neutron/${name}.json`, import.meta.url), 'utf8'))
	const { ports } = z.object({ ports: z.array(Port) }).parse(read('13-ports-3-device-ids'))
	const { subnet } = z.object({ subnet: Subnet }).parse(read('32-subnet-by-id'))
	const [selected] = selectPorts(ports, 'af89b2dc-576c-482b-9fac-753ff1e0ba91', { ...usual, subnets: [subnet] })
	expect(selected).toMatchObject({
		address: '10.0.0.11',
		port: { mac_address: 'fa:16:3e:00:00:01' },
		subnet: { cidr: '10.0.0.0/24', gateway_ip: '10.0.0.1' },
	})
})

test('the order of the ports is ignored', () => {
	const ports = ['1', '2', '3', '4', '5'].map((id, n) => port(id, n % 2 ? a : b))
	fc.assert(
		fc.property(fc.shuffledSubarray(ports, { minLength: 5 }), shuffled => {
			expect(selectPorts(shuffled, vm, usual)).toEqual(selectPorts(ports, vm, usual))
		}),
	)
})
