import { describe, expect, test } from 'vitest'
import type { HostState, Link, Rule } from '../../../agent/model/host-state.ts'
import type { Route } from '../../../agent/model/route.ts'
import { fibOf } from '../../../agent/plan/fib.ts'
import { awayFromPods } from '../../../agent/plan/pods-elsewhere.ts'
import { type Interface, Interfaces, settle } from '../../../contract/interface.ts'
import { hostWith } from '../simulated-host.ts'
import { address, route, rule } from './routing-objects.ts'

/** Packets from the addresses of an interface that do not reach the pods of the node. */

const mac = (id: number) => `fa:16:3e:00:00:0${id}`
const [MGMT, CALI, ENS7] = [2, 4, 7]
type Nic = Partial<Interface> & { podNetworks?: readonly string[] }
const four: Nic = { addresses: ['10.0.0.23/24'], podNetworks: ['10.244.0.0/16'] }

function awayOn(routes: Route[], rules: Rule[], { nics = [four], addresses = [] }: { nics?: Nic[]; addresses?: string[] } = {}) {
	const links = [
		{ ifindex: MGMT, name: 'mgmt', mac: '02:00:00:00:00:02', up: true, addresses: addresses.map(cidr => address(cidr)) },
		{ ifindex: CALI, name: 'cali4', mac: '02:00:00:00:00:04', up: true },
		...nics.map((_, id) => ({ ifindex: ENS7 + id, name: `ens${ENS7 + id}`, mac: mac(id), up: true })),
	]
	const after: HostState = { ...hostWith(links), routes, rules }
	const accepted = nics.map(({ podNetworks = [], ...nic }, id) => {
		const [settled] = settle(Interfaces.parse([{ id, macAddress: mac(id), ...nic }]), { podNetworks })
		if (!settled) throw new Error('no interface')
		return { nic: settled, link: after.links[id + 2] as Link, ours: undefined }
	})
	const then = fibOf(after)
	return awayFromPods(accepted, { after, then })
}
/** `from to` of each packet that does not reach its pod. */
const wordsOf = (...given: Parameters<typeof awayOn>) => awayOn(...given).map(({ packet }) => `${packet.from} ${packet.to}`)

const pod = route('10.244.1.5/32', { link: CALI })
const gateway = route('0.0.0.0/0', { via: '10.0.0.1', link: ENS7, table: 100 })
const main = rule(32_766)
/** Sends packets from the interface to its table, whose default route does not reach the pods. */
const own = rule(10_000, { from: '10.0.0.23/32', table: 100 })
const forPods = rule(9_990, { from: '10.0.0.23/32', to: '10.244.0.0/16' })

describe('packets from an interface', () => {
	test.each<[title: string, routes: Route[], rules: Rule[], away: string[]]>([
		['reach pods because of the rule for pods', [pod, gateway], [forPods, own, main], []],
		['do not reach pods without that rule', [pod, gateway], [own, main], ['10.0.0.23 10.244.1.5']],
		[
			'do not reach pods if another rule precedes that rule',
			[pod, gateway],
			[{ ...own, priority: 5 }, forPods, main],
			['10.0.0.23 10.244.1.5'],
		],
		[
			'do not reach pods if a rule rejects them',
			[pod, gateway],
			[rule(5, { from: '10.0.0.0/24', action: 'prohibit' }), main],
			['10.0.0.23 10.244.1.5'],
		],
		[
			'do not reach pods if only one of several links is used',
			[
				route('10.244.1.5/32', { nextHops: [MGMT, CALI].map(link => ({ link, weight: 1, onlink: false })) }),
				{ ...pod, to: '10.0.0.0/8', table: 100 },
			],
			[own, main],
			['10.0.0.23 10.244.1.5'],
		],
		['reach pods over another route with the same link', [pod, { ...pod, to: '10.244.0.0/16', table: 100 }], [own, main], []],
		['are not checked for pods that the node does not reach either', [{ ...pod, table: 77 }, gateway], [own, main], []],
		[
			'are not checked for pods to which the node rejects packets',
			[pod, { ...pod, table: 77, type: 7 }],
			[own, rule(20_000, { table: 77 }), main],
			[],
		],
	])('%s', (_, routes, rules, away) => {
		expect(wordsOf(routes, rules)).toEqual(away)
	})
})

test('a packet that does not reach a pod is a sample of the pods and has the route that it takes', () => {
	expect(awayOn([pod, gateway], [own, main])).toEqual([
		{
			packet: { id: 0, link: ENS7, family: 4, from: '10.0.0.23', to: '10.244.1.5', sampleOf: 'pods' },
			way: { route: gateway, rule: own },
		},
	])
})

describe('a pod network is represented by', () => {
	const networks = (count: number) => Array.from({ length: count }, (_, at) => route(`10.244.${at}.0/24`, { link: CALI }))
	test.each<[title: string, routes: Route[], addresses: string[], to: string[]]>([
		['an address of a route to a part of it', [route('10.244.7.0/24', { link: CALI })], [], ['10.244.7.1']],
		['an address of the route to it', [route('10.244.0.0/16', { link: CALI })], [], ['10.244.0.1']],
		['no address of a wider route', [route('10.244.0.0/14', { link: CALI })], [], []],
		['no address of a route outside it', [route('10.245.7.0/24', { link: CALI })], [], []],
		['no address of a local route', [route('10.244.7.0/24', { link: CALI, type: 2 })], [], []],
		['an address that the node does not have', [route('10.244.7.0/24', { link: CALI })], ['10.244.7.1/24'], ['10.244.7.2']],
		['no address that the node has', [pod, route('10.244.7.9/32', { link: CALI })], ['10.244.1.5/32'], ['10.244.7.9']],
		['addresses of eight routes', networks(8), [], networks(8).map(({ to }) => to.replace('0/24', '1'))],
		['no address of a ninth route', networks(9), [], networks(8).map(({ to }) => to.replace('0/24', '1'))],
	])('%s', (_, routes, addresses, to) => {
		expect(wordsOf([...routes, gateway], [own, main], { addresses })).toEqual(to.map(ip => `10.0.0.23 ${ip}`))
	})

	const dual: Nic = { addresses: ['10.0.0.23/24', 'fd00::23/64'], podNetworks: ['10.244.0.0/16', 'fd44::/56'] }
	test('addresses of the same family', () => {
		const routes = [route('10.244.7.0/24', { link: CALI }), route('fd44:0:0:7::/64', { link: CALI, metric: 1024 })]
		const rules = [main, rule(32_766, { family: 6 }), rule(5, { from: '10.0.0.0/24', action: 'prohibit' })]
		const rejecting = [...rules, rule(5, { family: 6, from: 'fd00::/64', action: 'prohibit' })]
		expect(wordsOf(routes, rejecting, { nics: [dual] })).toEqual(['10.0.0.23 10.244.7.1', 'fd00::23 fd44:0:0:7::1'])
	})

	test('the same address as a wider pod network of another interface', () => {
		const nics = [four, { addresses: ['10.0.1.23/24'], podNetworks: ['10.244.7.0/24'] }]
		const routes = [route('10.244.1.0/24', { link: CALI }), route('10.244.7.0/24', { link: CALI })]
		expect(wordsOf(routes, [rule(5, { from: '10.0.0.0/23', action: 'prohibit' }), main], { nics })).toEqual([
			'10.0.0.23 10.244.1.1',
			'10.0.0.23 10.244.7.1',
			'10.0.1.23 10.244.7.1',
		])
	})

	test('no address for an interface that has no rule for pods', () => {
		const nics = [{ addresses: ['10.0.0.23/24'] }]
		expect(wordsOf([pod, gateway], [own, main], { nics })).toEqual([])
	})
})
