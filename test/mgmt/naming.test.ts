import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compareFirst, type FirstKeys, type Nameable, nameInterfaces, type Taken } from '../../mgmt/naming.ts'

const port = (n: number): Nameable => ({ id: `port-${n}`, mac: `fa:16:3e:00:00:${n.toString(16).padStart(2, '0')}` })
const taken = (id: number, n: number): Taken => ({ id, portId: port(n).id, macAddress: port(n).mac })

test.each<[sentence: string, ports: Nameable[], inForce: Taken[], ids: [string, number][]]>([
	[
		'the first ports get ids from 0',
		[port(1), port(2)],
		[],
		[
			['port-1', 0],
			['port-2', 1],
		],
	],
	['a port keeps its id when the port before it is removed', [port(2)], [taken(0, 1), taken(1, 2)], [['port-2', 1]]],
	[
		'a new port gets the lowest free id, regardless of the sort order',
		[port(1), port(5)],
		[taken(1, 5)],
		[
			['port-1', 0],
			['port-5', 1],
		],
	],
	[
		'a gap between ids is filled first',
		[port(1), port(3), port(9)],
		[taken(0, 1), taken(2, 3)],
		[
			['port-1', 0],
			['port-3', 2],
			['port-9', 1],
		],
	],
	[
		'interfaces without port ids are matched by their MACs',
		[port(1), port(2)],
		[{ id: 4, macAddress: port(2).mac }],
		[
			['port-1', 0],
			['port-2', 4],
		],
	],
	['a new port with the same MAC keeps the id', [{ ...port(2), id: 'new' }], [taken(3, 2)], [['new', 3]]],
	[
		'a port with the port id of an interface takes precedence over a port with only its MAC',
		[{ ...port(1), id: 'other' }, port(1)],
		[taken(6, 1)],
		[
			['other', 0],
			['port-1', 6],
		],
	],
])('%s', (_, ports, inForce, ids) => {
	expect([...nameInterfaces(ports, inForce)].toSorted()).toEqual(ids.toSorted())
})

const numbers = fc.uniqueArray(fc.integer({ min: 0, max: 40 }), { maxLength: 14 })
const worlds = fc
	.tuple(
		numbers,
		fc.uniqueArray(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 40 })), { maxLength: 10, selector: ([id]) => id }),
	)
	.map(([ports, owners]) => {
		const once = owners.filter(([, n], at) => owners.findIndex(([, other]) => other === n) === at)
		return { ports: ports.map(port), inForce: once.map(([id, n]) => taken(id, n)) }
	})

test('with any current interfaces, ids are unique and 0–9, remaining ports keep their id, and no port is omitted while an id is free', () => {
	fc.assert(
		fc.property(worlds, ({ ports, inForce }) => {
			const ids = nameInterfaces(ports, inForce)
			expect(new Set(ids.values()).size).toBe(ids.size)
			expect([...ids.values()].every(id => id >= 0 && id <= 9)).toBe(true)
			for (const { id, portId } of inForce) if (ports.some(port => port.id === portId)) expect(ids.get(portId ?? '')).toBe(id)
			expect(ids.size).toBe(Math.min(10, ports.length))
		}),
	)
})

test('naming twice changes nothing, and the order of the named ports is ignored', () => {
	fc.assert(
		fc.property(worlds, ({ ports, inForce }) => {
			const first = nameInterfaces(ports, inForce)
			const named = ports.filter(({ id }) => first.has(id))
			const after = named.map(({ id, mac }) => ({ id: first.get(id) ?? -1, portId: id, macAddress: mac }))
			expect(nameInterfaces(named.toReversed(), after)).toEqual(first)
		}),
	)
})

test.each<[sentence: string, ports: Nameable[], inForce: Taken[], rows: [string, number][], ids: [string, number][]]>([
	[
		'a port whose node config was deleted gets the id of its row',
		[port(1), port(2)],
		[],
		[
			['port-1', 3],
			['port-2', 1],
		],
		[
			['port-1', 3],
			['port-2', 1],
		],
	],
	['the id in force counts, not that of the row', [port(1)], [taken(4, 1)], [['port-1', 7]], [['port-1', 4]]],
	[
		'a row whose id another port has in force gives nothing',
		[port(1), port(2)],
		[taken(0, 2)],
		[['port-1', 0]],
		[
			['port-1', 1],
			['port-2', 0],
		],
	],
	['the row of a port that is not wanted reserves nothing', [port(1)], [], [['port-9', 0]], [['port-1', 0]]],
	[
		'two rows with one id: the first port has it',
		[port(1), port(2)],
		[],
		[
			['port-1', 2],
			['port-2', 2],
		],
		[
			['port-1', 2],
			['port-2', 0],
		],
	],
])('%s', (_, ...[ports, inForce, rows, ids]) => {
	expect([...nameInterfaces(ports, inForce, new Map(rows))].toSorted()).toEqual(ids.toSorted())
})

test('while a node config has every port, the rows change nothing, whatever they contain', () => {
	const rows = fc.array(fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 9 })), { maxLength: 20 })
	fc.assert(
		fc.property(worlds, rows, ({ ports }, stored) => {
			const first = nameInterfaces(ports, [])
			const named = ports.filter(({ id }) => first.has(id))
			const inForce = named.map(({ id, mac }) => ({ id: first.get(id) ?? -1, portId: id, macAddress: mac }))
			expect(nameInterfaces(named, inForce, new Map(stored.map(([n, id]) => [port(n).id, id])))).toEqual(first)
		}),
	)
})

test('with any rows, ids are unique, and a node config that is deleted comes back with the same ids', () => {
	fc.assert(
		fc.property(worlds, ({ ports, inForce }) => {
			const first = nameInterfaces(ports, inForce)
			const named = ports.filter(({ id }) => first.has(id))
			expect(nameInterfaces(named.toReversed(), [], first)).toEqual(first)
		}),
	)
})

test.each<[sentence: string, order: FirstKeys[]]>([
	[
		'by the subnet',
		[
			{ subnet: 0, portId: 'z' },
			{ subnet: 1, createdAt: '2020-01-01T00:00:00Z', portId: 'a' },
		],
	],
	[
		'in a subnet by the time',
		[
			{ subnet: 0, createdAt: '2020-01-01T00:00:00Z', portId: 'z' },
			{ subnet: 0, createdAt: '2020-01-01 00:00:01', portId: 'a' },
		],
	],
	[
		'a port without a time last',
		[
			{ subnet: 0, createdAt: '2020-01-01T00:00:00Z', portId: 'z' },
			{ subnet: 0, portId: 'a' },
		],
	],
	[
		'at one time by the id',
		[
			{ subnet: 0, createdAt: '2020-01-01T00:00:00Z', portId: 'a' },
			{ subnet: 0, createdAt: '2020-01-01T00:00:00', portId: 'b' },
		],
	],
])('ports that nobody knows are ordered %s', (_, order) => {
	expect(order.toReversed().toSorted(compareFirst)).toEqual(order)
	expect(order.toSorted(compareFirst)).toEqual(order)
})
