import { expect, test } from 'vitest'
import { canonicalForm, type Interface, Interfaces, settle } from '../../contract/interface.ts'
import { NodeConfigSpec } from '../../contract/node-config.ts'

const a = { id: 0, macAddress: 'fa:16:3e:37:c3:f1', address: '10.0.0.23', cidr: '10.0.0.0/24', mtu: 1450 }
const b = { id: 1, macAddress: 'fa:16:3e:65:04:9e' }

test.each<[title: string, nics: unknown, fault: string | undefined]>([
	['a full interface and a bare one', [a, b], undefined],
	['no interface at all, meant as such', [], undefined],
	['the address with its prefix as cidr', [{ ...a, cidr: '10.0.0.23/24' }], undefined],
	['upper-case MAC', [{ ...b, macAddress: 'FA:16:3E:65:04:9E' }], undefined],
	['two interfaces with one MAC, written differently', [a, { ...b, macAddress: a.macAddress.toUpperCase() }], 'macAddress must be unique'],
	['two interfaces with one id', [a, { ...b, id: 0 }], 'id must be unique'],
	['an id here and none there', [a, { macAddress: b.macAddress }], 'either all interfaces have an id or none has'],
	['an id of 10', [{ ...b, id: 10 }], '0.id'],
	['an MTU of 20', [{ ...a, mtu: 20 }], '0.mtu'],
	['an address outside its cidr', [{ ...a, address: '10.0.1.23' }], '0.address'],
	['an address without a cidr', [{ ...b, address: '10.0.0.23' }], '0.address'],
	['a name that is not multinic + id', [{ ...b, name: 'multinic7' }], '0.name'],
	['no connected route in the main table', [{ ...a, connectedRoute: false }], undefined],
	['a connected route without an own table', [{ ...a, connectedRoute: true, policyRouting: false }], undefined],
	['a network in no table', [{ ...a, connectedRoute: false, policyRouting: false }], '0.connectedRoute connectedRoute and policyRouting'],
	['a route to nowhere', [{ ...b, routes: [{ to: 'somewhere' }] }], '0.routes.0.to'],
	['eleven interfaces', Array(11).fill(b), 'expected array to have <=10 items'],
	['null', null, 'expected array'],
])('%s', (_, nics, fault) => {
	const { error } = Interfaces.safeParse(nics)
	const said = error?.issues.map(({ path, message }) => `${path.join('.')} ${message}`).join('; ')
	if (fault === undefined) expect(said).toBeUndefined()
	else expect(said).toContain(fault)
})

test('a node config without interfaces is rejected, so that it does not empty a node', () => {
	expect(NodeConfigSpec.safeParse({ nodeName: 'worker-1' }).success).toBe(false)
})

test('the position is the id if none is given, and defaults are filled in', () => {
	expect(settle(Interfaces.parse([{ macAddress: a.macAddress }, { macAddress: b.macAddress }]))).toEqual([
		{ macAddress: a.macAddress, id: 0, name: 'multinic0', defaultRoute: false, policyRouting: true, connectedRoute: true },
		{ macAddress: b.macAddress, id: 1, name: 'multinic1', defaultRoute: false, policyRouting: true, connectedRoute: true },
	])
})

test.each<[title: string, more: Partial<Interface>, canonical: object]>([
	['left out, it is not part of the canonical form, so that no stored hash changes', {}, {}],
	['true means the same, and has the same form', { connectedRoute: true }, {}],
	['false is part of it', { connectedRoute: false }, { connectedRoute: false }],
])('connectedRoute: %s', (_, more, canonical) => {
	const filled = { ...b, name: 'multinic1', defaultRoute: false, policyRouting: true }
	expect(canonicalForm([{ ...b, ...more }])).toEqual([{ ...filled, ...canonical }])
})
