import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Nameable, nameInterfaces, type Taken } from '../../mgmt/naming.ts'

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

test.each<[sentence: string, ports: Nameable[], sources: [inForce: Taken[], remembered: [string, number][]], ids: [string, number][]]>([
	['a port that is not in force gets its remembered id', [port(1)], [[], [['port-1', 3]]], [['port-1', 3]]],
	['an id in force takes precedence over a remembered one', [port(1)], [[taken(5, 1)], [['port-1', 3]]], [['port-1', 5]]],
	[
		'a remembered id that another port has in force is not used',
		[port(1), port(2)],
		[[taken(3, 2)], [['port-1', 3]]],
		[
			['port-1', 0],
			['port-2', 3],
		],
	],
	[
		'a new port does not get the remembered id of another port',
		[port(1), port(2)],
		[[], [['port-2', 0]]],
		[
			['port-1', 1],
			['port-2', 0],
		],
	],
	['the remembered id of a port that is gone is free', [port(1)], [[], [['port-2', 0]]], [['port-1', 0]]],
])('remembered ids: %s', (_, ports, [inForce, remembered], ids) => {
	expect([...nameInterfaces(ports, inForce, new Map(remembered))].toSorted()).toEqual(ids.toSorted())
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
