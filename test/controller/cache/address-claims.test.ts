import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Interface } from '../../../contract/interface.ts'
import { createClaimIndex } from '../../../controller/cache/address-claim-index.ts'
import { readSpec } from '../../../controller/model/read-spec.ts'
import { claimsOf, isPriorClaim, rightTo } from '../../../controller/cache/address-claims.ts'
import { decide } from '../../../controller/rules/decide.ts'
import type { ConfigView } from '../../../controller/model/snapshot.ts'
import { mac, nic, now, spec, withStatus, world } from '../world.ts'

const other = 'fa:16:3e:00:00:99'
const free = { id: 0, macAddress: other, address: '10.0.0.99', cidr: '10.0.0.0/24' }

describe('what an interface claims', () => {
	test.each<[title: string, nic: Interface, claims: string[]]>([
		['only its MAC if it has no address', { macAddress: mac }, [`MAC ${mac}`]],
		[
			'its address in the network of its CIDR if it has no subnet id',
			{ macAddress: mac, address: '10.0.0.5', cidr: '10.0.0.5/24' },
			[`MAC ${mac}`, 'address 10.0.0.5 in 10.0.0.0/24'],
		],
		[
			'its address in its subnet',
			{ macAddress: mac, address: '10.0.0.5', cidr: '10.0.0.0/24', subnetId: 's1', networkId: 'n1' },
			[`MAC ${mac}`, 'address 10.0.0.5 in s1'],
		],
		[
			'an additional address in another subnet of the same network',
			{ macAddress: mac, subnetId: 's1', networkId: 'n1', addresses: ['FD00::0:5/64'] },
			[`MAC ${mac}`, 'address fd00::5 in fd00::/64 of n1'],
		],
	])('%s', (_, one, claims) => {
		expect(claimsOf([one])).toEqual(claims)
	})
})

describe('two node configs that claim the same MAC or address', () => {
	const old = { created: now - 90_000 }

	test.each<[title: string, a: Partial<ConfigView>, b: Partial<ConfigView>, rivals: [ofA: string | undefined, ofB: string | undefined]]>([
		['the older node config keeps the claim', old, {}, [undefined, 'a']],
		['at the same age, the first by name keeps the claim', {}, {}, [undefined, 'a']],
		['a younger node config that is configured keeps the claim', old, { status: configured('Configured', iso(5)) }, ['b', undefined]],
		[
			'a younger node config that was configured and then failed keeps the claim',
			old,
			{ status: configured('Failed', iso(5)) },
			['b', undefined],
		],
		[
			'of two configured node configs, the one that was configured first keeps the claim',
			{ status: configured('Configured', iso(5)) },
			{ status: configured('Configured', iso(50)) },
			['b', undefined],
		],
		['a node config that is being deleted keeps its claims', { deleting: true, ...old }, {}, [undefined, 'a']],
		['a node config without the MAC and the address does not claim them', { read: wanting(free) }, {}, [undefined, undefined]],
		['an invalid node config claims nothing', { read: readSpec({ interfaces: 'x' }) }, {}, [undefined, undefined]],
		['the same address with different MACs is a conflict', { read: wanting({ ...nic, macAddress: other }), ...old }, {}, [undefined, 'a']],
		[
			'the same address in different subnets is not a conflict',
			{ read: wanting({ ...nic, macAddress: other, subnetId: 's2' }) },
			{ read: wanting({ ...nic, subnetId: 's1' }) },
			[undefined, undefined],
		],
	])('%s', (_, a, b, rivals) => {
		const { index } = fleet({ a, b })
		expect([index.conflict('ns/a')?.name, index.conflict('ns/b')?.name]).toEqual(rivals)
	})

	test.each<[title: string, change: Change, told: { holders: string[]; others: string[] }]>([
		['none if a node config without the claim changes', ['c', {}], { holders: [], others: [] }],
		['none if a node config without the claim is deleted', ['c', undefined], { holders: [], others: [] }],
		['none if the holder changes and keeps the claim', ['a', { generation: 2 }], { holders: [], others: [] }],
		['the next holder and the others if the holder is deleted', ['a', undefined], told(['b'], ['c'])],
		['the next holder and the others if the holder drops the claim', ['a', { read: wanting(free) }], told(['b'], ['c'])],
		[
			'the previous holder and the others if the last one becomes configured and thereby the holder',
			['c', { status: configured('Configured', iso(5)) }],
			told(['a'], ['b']),
		],
		['none if a new node config also claims it', ['d', {}], { holders: [], others: [] }],
		['the previous holder and the others if an older node config also claims it', ['d', old], told(['a'], ['b', 'c'])],
	])('returns the node configs that a change of a claim affects: %s', (_, [name, config], expected) => {
		const { change } = fleet({ a: {}, b: {}, c: {} })
		const { holders, others } = change(name, config)
		expect({ holders: [...holders], others: [...others].sort() }).toEqual(expected)
	})

	test('returns every node config whose rival changed, and the rival is the node config with precedence', () => {
		fc.assert(
			fc.property(fc.array(someChange, { maxLength: 40 }), changes => {
				const { index, change, configs } = fleet({})
				for (const [name, config] of changes) {
					const before = new Map([...configs.keys()].map(key => [key, index.conflict(key)]))
					const { holders, others } = change(name, config)
					const silent = [...configs.keys()].filter(key => key !== `ns/${name}` && !holders.has(key) && !others.has(key))
					for (const key of silent) expect(index.conflict(key)).toEqual(before.get(key))
					for (const key of configs.keys()) expect(index.conflict(key)).toEqual(rivalAmong(configs, key))
				}
			}),
		)
	})

	test('a thousand node configs with a claim that another one holds affect no node config and are not compared with each other', () => {
		const { change, looked } = fleet({ a: old })
		const woken = Array.from({ length: 1_000 }, (_, at) => change(`n${at}`, {}))
		expect(woken.filter(({ holders, others }) => holders.size + others.size > 0)).toEqual([])
		expect(looked()).toBeLessThan(10)
	})

	test('names the rival and the claim in readable form', () => {
		expect(fleet({ a: old, b: {} }).index.conflict('ns/b')).toEqual({ name: 'a', what: `MAC ${mac}` })
	})
})

describe('the younger node config', () => {
	const conflict = { name: 'worker-2', what: `MAC ${mac}` }
	const told = decide(world({ conflict }))

	test('is not run and names the node config that holds the claim', () => {
		expect(told).toMatchObject({ act: 'setStatus', why: 'Conflict', status: { state: 'Pending' } })
		expect(told.act === 'setStatus' && told.status.conditions?.[0]?.message).toBe(
			`MAC ${mac} is already used by node config worker-2. The run starts when one of the two no longer uses it.`,
		)
	})

	test('reports the conflict once and runs when the other node config releases the claim', () => {
		const status = told.act === 'setStatus' ? told.status : {}
		expect(decide(withStatus(world({ conflict }), status))).toMatchObject({ act: 'nothing', why: 'Conflict' })
		expect(decide(withStatus(world(), status))).toMatchObject({ act: 'start', why: 'WaitIsOver' })
	})

	test.each([
		[
			'is restored when it is deleted',
			world({ conflict, config: { deleting: true, generation: 2, status: { lastJobName: 'x' } } }),
			'start',
		],
		['can still be planned', world({ conflict, spec: { value: { ...spec, mode: 'Plan' } } }), 'start'],
	] as const)('%s', (_, snapshot, act) => {
		expect(decide(snapshot)).toMatchObject({ act })
	})
})

type Change = [name: string, config: Partial<ConfigView> | undefined]

function told(holders: string[], others: string[]) {
	return { holders: holders.map(name => `ns/${name}`), others: others.map(name => `ns/${name}`) }
}

function wanting(...interfaces: Interface[]) {
	return readSpec({ ...spec, interfaces })
}

const someView = fc.record({
	created: fc.constantFrom(now - 3, now - 2, now - 1),
	read: fc.constantFrom(wanting(nic), wanting(free), wanting(nic, { ...free, id: 1 }), readSpec({ interfaces: 'x' })),
	status: fc.constantFrom({}, configured('Configured', iso(5)), configured('Failed', iso(50)), configured('Failed')),
})
const someChange: fc.Arbitrary<Change> = fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.option(someView, { nil: undefined }))

/** Computes the same result by comparing all node configs. */
function rivalAmong(configs: ReadonlyMap<string, ConfigView>, key: string) {
	const claims = (config: ConfigView) => ('value' in config.read.spec ? claimsOf(config.read.spec.value.interfaces) : [])
	for (const claim of claims(configs.get(key) as ConfigView)) {
		const rights = [...configs].filter(([, one]) => claims(one).includes(claim)).map(([other, one]) => rightTo(claim, other, one))
		const best = rights.reduce((best, one) => (isPriorClaim(one, best) ? one : best))
		if (best.key !== key) return { name: best.name, what: claim.replace(/ in .*/, '') }
	}
	return undefined
}

function configured(status: 'Configured' | 'Failed', since?: string) {
	const nic = { id: 0, name: 'multinic0', macAddress: mac, status, reason: 'x', message: '' }
	return { interfaceStatuses: [{ ...nic, ...(since && { lastConfigured: since }), observed: { addresses: ['10.0.0.23/24'] } }] }
}

function fleet(over: Record<string, Partial<ConfigView>>) {
	const configs = new Map<string, ConfigView>()
	let looked = 0
	const index = createClaimIndex(key => {
		looked++
		return configs.get(key)
	})
	const change = (name: string, config: Partial<ConfigView> | undefined) => {
		const key = `ns/${name}`
		const view = config && { ...world().config, name, read: readSpec({ ...spec, nodeName: name }), ...config }
		if (view) configs.set(key, view)
		else configs.delete(key)
		return index.take(key, view)
	}
	for (const [name, config] of Object.entries(over)) change(name, config)
	return { index, configs, change, looked: () => looked }
}

/** Returns the time `minutes` ago. */
function iso(minutes: number): string {
	return new Date(now - minutes * 60_000).toISOString()
}
