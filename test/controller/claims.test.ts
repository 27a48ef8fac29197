import { describe, expect, test } from 'vitest'
import type { Interface } from '../../contract/interface.ts'
import { createClaimIndex } from '../../controller/claim-index.ts'
import { readSpec } from '../../controller/spec.ts'
import { claimsOf } from '../../controller/claims.ts'
import { decide } from '../../controller/decide.ts'
import type { ConfigView } from '../../controller/snapshot.ts'
import { mac, nic, now, spec, withStatus, world } from './world.ts'

const other = 'fa:16:3e:00:00:99'
const free = { id: 0, macAddress: other, address: '10.0.0.99', cidr: '10.0.0.0/24' }

describe('what an interface claims', () => {
	test.each<[title: string, nic: Interface, claims: string[]]>([
		['only its MAC, where it has no address', { macAddress: mac }, [`MAC ${mac}`]],
		[
			'its address, in the network where no id tells which',
			{ macAddress: mac, address: '10.0.0.5', cidr: '10.0.0.5/24' },
			[`MAC ${mac}`, 'address 10.0.0.5 in 10.0.0.0/24'],
		],
		[
			'its address in its subnet',
			{ macAddress: mac, address: '10.0.0.5', cidr: '10.0.0.0/24', subnetId: 's1', networkId: 'n1' },
			[`MAC ${mac}`, 'address 10.0.0.5 in s1'],
		],
		[
			'a further address of another subnet of that network',
			{ macAddress: mac, subnetId: 's1', networkId: 'n1', addresses: ['FD00::0:5/64'] },
			[`MAC ${mac}`, 'address fd00::5 in fd00::/64 of n1'],
		],
	])('%s', (_, one, claims) => {
		expect(claimsOf([one])).toEqual(claims)
	})
})

describe('two node configs that claim the same', () => {
	const old = { created: now - 90_000 }
	const configured = (status: 'Configured' | 'Failed', since?: string) => ({
		interfaceStatuses: [
			{
				...{ id: 0, name: 'multinic0', macAddress: mac, status, reason: 'x', message: '' },
				...(since && { lastConfigured: since }),
				observed: { addresses: ['10.0.0.23/24'] },
			},
		],
	})

	test.each<[title: string, a: Partial<ConfigView>, b: Partial<ConfigView>, rivals: [ofA: string | undefined, ofB: string | undefined]]>([
		['the older keeps it', old, {}, [undefined, 'a']],
		['of the same age: by name', {}, {}, [undefined, 'a']],
		['who has it on its node keeps it, though its object is younger', old, { status: configured('Configured', iso(5)) }, ['b', undefined]],
		['who failed since still has it on its node', old, { status: configured('Failed', iso(5)) }, ['b', undefined]],
		[
			'of two that had it, the one that had it first',
			{ status: configured('Configured', iso(5)) },
			{ status: configured('Configured', iso(50)) },
			['b', undefined],
		],
		['one that is being deleted still has it', { deleting: true, ...old }, {}, [undefined, 'a']],
		['one whose interfaces are others claims nothing', { read: readSpec({ ...spec, interfaces: [free] }) }, {}, [undefined, undefined]],
		['one that cannot be carried out claims nothing', { read: readSpec({ interfaces: 'x' }) }, {}, [undefined, undefined]],
		[
			'the same address under another MAC',
			{ read: readSpec({ ...spec, interfaces: [{ ...nic, macAddress: other }] }), ...old },
			{},
			[undefined, 'a'],
		],
		[
			'the same address in another subnet is another address',
			{ read: readSpec({ ...spec, interfaces: [{ ...nic, macAddress: other, subnetId: 's2' }] }) },
			{ read: readSpec({ ...spec, interfaces: [{ ...nic, subnetId: 's1' }] }) },
			[undefined, undefined],
		],
	])('%s', (_, a, b, rivals) => {
		const { index } = fleet({ a, b })
		expect([index.rival('ns/a')?.name, index.rival('ns/b')?.name]).toEqual(rivals)
	})

	test('who shares a claim is told of a change, also when it ends', () => {
		const { index, configs } = fleet({ a: {}, b: {} })
		expect([...index.take('ns/a', configs.get('ns/a'))]).toEqual(['ns/b'])
		configs.delete('ns/a')
		expect([...index.take('ns/a', undefined)]).toEqual(['ns/b'])
		expect(index.rival('ns/b')).toBeUndefined()
		expect([...index.take('ns/b', undefined)]).toEqual([])
	})

	test('what is claimed is said as a person would', () => {
		expect(fleet({ a: old, b: {} }).index.rival('ns/b')).toEqual({ name: 'a', what: `MAC ${mac}` })
	})
})

describe('the younger', () => {
	const rival = { name: 'worker-2', what: `MAC ${mac}` }
	const told = decide(world({ rival }))

	test('is not run, and says because of whom', () => {
		expect(told).toMatchObject({ act: 'settle', why: 'Conflict', status: { state: 'Pending' } })
		expect(told.act === 'settle' && told.status.conditions?.[0]?.message).toBe(
			`MAC ${mac} is also claimed by node config worker-2, which has it longer. The run starts when one of the two lets it go.`,
		)
	})

	test('says so once, and runs when the other lets go', () => {
		const status = told.act === 'settle' ? told.status : {}
		expect(decide(withStatus(world({ rival }), status))).toMatchObject({ act: 'nothing', why: 'Conflict' })
		expect(decide(withStatus(world(), status))).toMatchObject({ act: 'start', why: 'WaitIsOver' })
	})

	test.each([
		['is put back when it is deleted', world({ rival, config: { deleting: true, generation: 2, status: { lastJobName: 'x' } } }), 'start'],
		['may still be asked what it would do', world({ rival, spec: { value: { ...spec, mode: 'Plan' } } }), 'start'],
	] as const)('%s', (_, snapshot, act) => {
		expect(decide(snapshot)).toMatchObject({ act })
	})
})

function fleet(over: Record<string, Partial<ConfigView>>) {
	const configs = new Map<string, ConfigView>()
	const index = createClaimIndex(key => configs.get(key))
	for (const [name, config] of Object.entries(over)) {
		const view = { ...world().config, name, read: readSpec({ ...spec, nodeName: name }), ...config }
		configs.set(`ns/${name}`, view)
		index.take(`ns/${name}`, view)
	}
	return { index, configs }
}

/** So many minutes ago. */
function iso(minutes: number): string {
	return new Date(now - minutes * 60_000).toISOString()
}
