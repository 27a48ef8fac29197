import { describe, expect, test } from 'vitest'
import { tableLookedUp, tableOfAnotherNic, tableServesOthers } from '../../../agent/plan/table-checks.ts'
import { DEFAULT_BASES } from '../../../contract/bases.ts'
import { inputOf, mac, type OneNic, recordedNic, route, routeOver, routeWithoutLink, rule } from './one-nic.ts'

/** Other uses of the route table of an interface. */

const to = '10.9.0.0/16'
const others = [
	{ ifindex: 2, name: 'eth0' },
	{ ifindex: 4, name: 'ens8' },
]
const own = new Set([3, 4])

describe('the table of an interface', () => {
	const host = (...routes: ReturnType<typeof route>[]) => ({ others, more: { own }, host: { routes } })

	test.each<[title: string, one: OneNic, says: string | undefined, see?: string]>([
		['has a route over a link not managed by MultiNIC', host(route(to, { table: 100, link: 2 })), `${to} over eth0`],
		[
			'has such a route and others',
			host(route(to, { table: 100 }), route('10.8.0.0/16', { table: 100, link: 2 })),
			'10.8.0.0/16 over eth0',
		],
		['has a route over several links, one not managed by MultiNIC', host(routeOver(to, [3, 2], { table: 100 })), `${to} over eth0`],
		['has a route without a link', host(routeWithoutLink(to, { table: 100 })), to],
		[
			'has an IPv6 route over such a link',
			host(route('fd09::/64', { table: 100, link: 2 })),
			'fd09::/64 over eth0',
			'ip -6 route show table 100',
		],
		['has only routes over links managed by MultiNIC', host(route(to, { table: 100 }), routeOver(to, [3, 4], { table: 100 })), undefined],
		['is not that of another interface', host(route(to, { table: 101, link: 2 })), undefined],
		['is not used without policyRouting', { ...host(route(to, { table: 100, link: 2 })), nic: { policyRouting: false } }, undefined],
	])('%s', (_, one, where, see = 'ip route show table 100') => {
		const says = `table 100 is needed for multinic0 and has a route to ${where}`
		expect(tableServesOthers.find(inputOf(one))).toEqual(where && { says, see })
	})

	test('depends on its id and its base', () => {
		const one = { ...host(route(to, { table: 507, link: 2 })), nic: { id: 7 }, ofNode: { bases: { table: 500, priority: 5_000 } } }
		expect(tableServesOthers.find(inputOf(one))?.says).toBe(`table 507 is needed for multinic7 and has a route to ${to} over eth0`)
	})
})

describe('a rule that looks up the table of an interface', () => {
	const mark = rule({ table: 100, words: 'from all fwmark 0x1 lookup 100' })
	const hostOf = (...rules: ReturnType<typeof rule>[]) => ({ host: { rules } })
	const says = "the rule 'from all fwmark 0x1 lookup 100' looks up table 100, which only multinic0 may use"
	const ourRoutes = (table: number) => recordedNic({ routes: [{ to, table, metric: 0 }] })

	test.each<[title: string, one: OneNic, isRefused: boolean]>([
		['refuses the interface', hostOf(rule(), mark), true],
		['refuses an interface that had no routes in the table', { ...hostOf(mark), ours: ourRoutes(254) }, true],
		['refuses an interface that had no routes', { ...hostOf(mark), ours: recordedNic() }, true],
		['was added after MultiNIC had routes in the table', { ...hostOf(mark), ours: ourRoutes(100) }, false],
		['has no effect without policyRouting', { ...hostOf(mark), nic: { policyRouting: false } }, false],
		['looks up another table', hostOf({ ...mark, table: 101 }), false],
		['has an action instead of a lookup', hostOf({ ...mark, action: 'blackhole' }), false],
		['is managed by MultiNIC', hostOf({ ...mark, priority: 10_000, from: '10.0.0.23/32', plain: true }), false],
		[
			'is managed by MultiNIC with another base',
			{
				ofNode: { bases: { table: 100, priority: 7_000 } },
				...hostOf({ ...mark, priority: 7_000, from: '10.0.0.23/32', plain: true }),
			},
			false,
		],
		[
			'was added by MultiNIC with a former base',
			{
				...hostOf({ ...mark, priority: 7_000, from: '10.0.0.23/32', plain: true }),
				recorded: [recordedNic({ bases: [{ table: 100, priority: 7_000 }] })],
			},
			false,
		],
	])('%s', (_, one, isRefused) => {
		expect(tableLookedUp.find(inputOf(one))).toEqual(isRefused ? { says, see: 'ip rule show priority 600' } : undefined)
	})
})

describe('the table of an interface is that of another NIC', () => {
	const bases = { table: 105, priority: 10_000 }
	const link = { ifindex: 4, name: 'multinic5', mac: mac(5) }
	const before = recordedNic({ id: 5, bases: [DEFAULT_BASES] })
	const still = route(to, { table: 105, link: 4 })
	const one = { ofNode: { bases }, others: [{ ifindex: 2, name: 'eth0' }, link], recorded: [before] }
	const says = 'table 105 is still that of multinic5, which has to move to another one first'

	test.each<[title: string, one: OneNic, see: string | undefined]>([
		['if it still has routes over that NIC', { ...one, host: { routes: [still] } }, 'ip route show table 105'],
		[
			'if it still has IPv6 routes over that NIC',
			{ ...one, host: { routes: [route(to, { table: 105, link: 2 }), route('fd09::/64', { table: 105, link: 4 })] } },
			'ip -6 route show table 105',
		],
		['but not if its routes are over other links', { ...one, host: { routes: [{ ...still, link: 2 }] } }, undefined],
		['but not if the routes of that NIC are in another table', { ...one, host: { routes: [{ ...still, table: 100 }] } }, undefined],
		['but not if that NIC has no link', { ...one, others: [], host: { routes: [still] } }, undefined],
		['but not if no other NIC is recorded', { ...one, recorded: [], host: { routes: [still] } }, undefined],
		['but not if that NIC has another id', { ...one, recorded: [recordedNic({ ...before, id: 4 })], host: { routes: [still] } }, undefined],
		[
			'but not if that NIC has the same bases',
			{ ...one, recorded: [recordedNic({ id: 0, mac: mac(5), bases: [bases] })], host: { routes: [still] } },
			undefined,
		],
		[
			'but not if the other NIC is the same one, which had another id',
			{
				ofNode: { bases },
				recorded: [recordedNic({ id: 5, mac: mac(0), bases: [DEFAULT_BASES] })],
				host: { routes: [{ ...still, link: 3 }] },
			},
			undefined,
		],
		['but not without policyRouting', { ...one, nic: { policyRouting: false }, host: { routes: [still] } }, undefined],
	])('%s', (_, wish, see) => {
		expect(tableOfAnotherNic.find(inputOf(wish))).toEqual(see && { says, see })
	})
})
