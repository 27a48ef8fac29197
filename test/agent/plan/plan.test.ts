import { describe, expect, test } from 'vitest'
import type { Change, Step } from '../../../agent/model/change.ts'
import type { HostState, Link } from '../../../agent/model/host-state.ts'
import { RECORD_PATH } from '../../../agent/model/paths.ts'
import { recordFile } from '../../../agent/model/record.ts'
import { countChanges, plan } from '../../../agent/plan/plan.ts'
import type { Interface } from '../../../contract/interface.ts'
import { BASE_RULES, hostWith, kindOf } from '../simulated-host.ts'
import { address, mac, recordedNic, route, routeOver, rule, wantedNic } from './one-nic.ts'

/** The order of the steps of a plan, and how they are counted. */

const nics = (...wishes: Partial<Interface>[]) =>
	wishes.map((wish, id) => wantedNic({ id, address: `10.0.${id}.23`, cidr: `10.0.${id}.0/24`, ...wish }))

function planned(interfaces: ReturnType<typeof nics>, links: readonly Partial<Link>[] = [{}, {}], more: Partial<HostState> = {}) {
	const host = hostWith(
		links.map((link, id) => ({ ifindex: 3 + id, name: `ens${7 + id}`, mac: mac(id), ...link })),
		more,
	)
	const found = plan({ interfaces, nodeAddresses: [], kinds: new Set(['hardware']), failed: new Map() }, host, {})
	return { ...found, changes: found.steps.flatMap(({ change }) => change ?? []), host }
}

function wordsOf(change: Change): string {
	if ('address' in change) return `${change.kind} ${change.address.cidr}`
	if ('route' in change) return `${change.kind} ${change.route.to} ${change.route.table}${'replace' in change ? ' replace' : ''}`
	return 'rule' in change ? `${change.kind} ${change.rule.from}` : change.kind
}

describe('the steps of a plan', () => {
	const dual = (id: number): Partial<Interface> => ({
		addresses: [`fd00:${id}::23/64`],
		routes: [{ to: '10.9.0.0/16', table: 254, metric: id + 1 }],
	})

	test('set up the links, then add all addresses, then the routes and IPv4 rules, then the IPv6 rules', () => {
		const { changes } = planned(nics(dual(0), dual(1)))
		expect(changes.map(wordsOf).filter(words => words !== 'writeFile')).toEqual([
			...['rename', 'rename', 'up', 'up'],
			...['addAddress 10.0.0.23/24', 'addAddress fd00::23/64', 'addAddress 10.0.1.23/24', 'addAddress fd00:1::23/64'],
			...['addRoute 10.0.0.0/24 100 replace', 'addRoute fd00::/64 100 replace', 'addRoute 10.9.0.0/16 254'],
			'addRule 10.0.0.23/32',
			...['addRoute 10.0.1.0/24 101 replace', 'addRoute fd00:1::/64 101 replace', 'addRoute 10.9.0.0/16 254'],
			'addRule 10.0.1.23/32',
			...['addRule fd00::23/128', 'addRule fd00:1::23/128'],
		])
	})

	test('remove the IPv6 rules first', () => {
		const stale = [rule({ from: '10.0.0.99/32' }), rule({ family: 6, from: 'fd00::99/128' })].map(one => ({
			...one,
			...{ priority: 10_000, table: 100, plain: true },
		}))
		const { changes } = planned(nics({}), [{}], { rules: [...BASE_RULES, ...stale], routes: [route('10.9.0.0/16', { protocol: 16 })] })
		expect(changes.map(wordsOf).filter(words => words.startsWith('remove'))).toEqual([
			'removeRule fd00::99/128',
			'removeRule 10.0.0.99/32',
			'removeRoute 10.9.0.0/16 254',
		])
	})

	test('remove the rules of a former base at the end, the IPv6 rules first', () => {
		const bases = [{ table: 500, priority: 5_000 }]
		const record = recordFile({ version: 1, links: [recordedNic({ bases })] })
		const before = [rule({ from: '10.0.0.23/32' }), rule({ family: 6, from: 'fd00::23/128' })].map(one => ({
			...one,
			...{ priority: 5_000, table: 500, plain: true },
		}))
		const { changes } = planned(nics({ addresses: ['fd00::23/64'] }), [{}], {
			rules: [...BASE_RULES, ...before],
			...(record && { files: { [RECORD_PATH]: record } }),
		})
		const words = changes.map(wordsOf).filter(one => /Rule/.test(one))
		expect(words).toEqual(['addRule 10.0.0.23/32', 'addRule fd00::23/128', 'removeRule fd00::23/128', 'removeRule 10.0.0.23/32'])
	})

	test('remove a route over two NICs only once', () => {
		const { changes } = planned(nics({}, {}), [{}, {}], { routes: [routeOver('10.50.0.0/16', [3, 4], { protocol: 16 })] })
		expect(changes.map(wordsOf).filter(words => words.startsWith('remove'))).toEqual(['removeRoute 10.50.0.0/16 254'])
	})

	test('have an undo that restores a route with its original attributes', () => {
		const before = route('10.0.0.0/24', { table: 100, scope: 253, source: '10.0.0.9' })
		const { changes, undo } = planned(nics({ routes: [{ to: '10.9.0.0/16' }] }), [{ up: true }], { routes: [before] })
		expect(changes.map(wordsOf).filter(words => words.includes('Route'))).toEqual([
			'addRoute 10.0.0.0/24 100 replace',
			'addRoute 10.9.0.0/16 100 replace',
		])
		const undone = undo.flatMap(({ change }) => (change && 'route' in change ? [change] : []))
		expect(undone.map(wordsOf)).toEqual(['removeRoute 10.0.0.0/24 100', 'removeRoute 10.9.0.0/16 100', 'addRoute 10.0.0.0/24 100 replace'])
		expect(undone.at(-1)).toMatchObject({ route: { source: '10.0.0.9' } })
	})
})

describe('a NIC that NetworkManager manages', () => {
	const theirs = { managedBy: 'NetworkManager' as const, up: true, addresses: [address('10.0.0.23/24', { dynamic: true })] }

	test('is released first, is set up, and gets its configuration again, without a probe of an address that it has', () => {
		const { steps } = planned(nics({}), [theirs], { networkmanager: true })
		expect(kindsOf(steps)).toEqual([
			'unmanage',
			'rename',
			'waitForNames',
			'up',
			'addAddress',
			'addRoute',
			'addRule',
			'writeFile',
			'loadProfiles',
		])
		expect(steps.map(({ id }) => id).slice(0, 2)).toEqual([0, 0])
	})

	test('is not released if nothing changes', () => {
		expect(planned([], [theirs], { networkmanager: true }).steps).toEqual([])
	})

	test('is managed again at the end if it is no longer desired', () => {
		const record = recordFile({ version: 1, links: [recordedNic({ original: { managed: true } })] })
		const { steps } = planned([], [{ name: 'multinic0' }], { networkmanager: true, ...(record && { files: { [RECORD_PATH]: record } }) })
		expect(kindsOf(steps)).toEqual(['rename', 'waitForNames', 'manage', 'removeFile'])
	})

	test('gets its addresses again after a rename, even if it is refused', () => {
		const fixed = [address('10.0.5.5/24')]
		const record = recordFile({ version: 1, links: [recordedNic({ id: 1, addresses: ['10.0.5.5/24'] })] })
		const links = [{}, { name: 'multinic0', ...theirs, addresses: fixed }]
		const [first, second] = nics({}, { mtu: 9_999, address: '10.0.5.5', cidr: '10.0.5.0/24' })
		const { steps, refused } = planned(
			first && second ? [first, second] : [],
			links.map(link => ({ maxMtu: 9_000, ...link })),
			{
				networkmanager: true,
				...(record && { files: { [RECORD_PATH]: record } }),
			},
		)
		expect(refused.map(({ refusal }) => refusal.reason)).toEqual(['MtuRefused'])
		const again = steps.filter(({ change }) => change?.kind === 'addAddress' && change.link === 4)
		expect(again).toEqual([{ change: { kind: 'addAddress', link: 4, address: fixed[0] } }])
	})
})

describe('the changes of a plan are counted', () => {
	const up = (id?: number): Step => ({ ...(id !== undefined && { id }), change: { kind: 'up', link: 3 } })
	const wait: Step = { id: 0, action: { kind: 'waitForNames', names: [] } }
	const file = (path: string, id?: number): Step => ({ ...(id !== undefined && { id }), change: { kind: 'removeFile', path } })
	const record = file(RECORD_PATH)

	test.each<[title: string, steps: Step[], id: number | undefined, count: number]>([
		['all of them', [up(0), up(1), up(), file('/etc/a')], undefined, 4],
		['without actions', [wait, up(0)], undefined, 1],
		['without the record', [up(0), up(1), record], undefined, 2],
		['with the record if nothing else changes', [wait, record], undefined, 1],
		['for one interface', [up(0), up(1), up(), wait, up(0)], 0, 2],
		['for an interface without changes', [up(1), record, wait], 0, 0],
		['for no steps', [], undefined, 0],
	])('%s', (_, steps, id, count) => {
		expect(countChanges(steps, id)).toBe(count)
	})
})

/** The kinds of the steps, without consecutive duplicates. */
function kindsOf(steps: readonly Step[]): string[] {
	return steps.map(kindOf).filter((kind, at, all) => kind !== all[at - 1])
}
