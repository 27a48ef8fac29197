import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { HostState } from '../../../agent/model/host-state.ts'
import { ruleKey } from '../../../agent/model/desired-rules.ts'
import { type Route, routeKey } from '../../../agent/model/route.ts'
import { plan } from '../../../agent/plan/plan.ts'
import { connectedRoutes, localRoutes, predictedHost } from '../../../agent/plan/predicted-host.ts'
import { type Interface, settle } from '../../../contract/interface.ts'
import { anyNode, anyNodeWish, stateOf, withKernel } from '../any-node.ts'
import { afterEvery } from '../simulated-host.ts'
import { addressOf, hostOf, linkOf, nicOf, oursOf, routeOf, routeOver, ruleOf, selected } from './selected.ts'

const planOf = (wish: Interface[], host: HostState) =>
	plan({ interfaces: settle(wish), nodeAddresses: [], kinds: new Set(['hardware']), failed: new Map() }, host, {})

const network = ({ links, rules, routes }: Pick<HostState, 'links' | 'rules' | 'routes'>) => ({
	links: links.map(({ ifindex, up, addresses }) => [ifindex, up, addresses.map(({ cidr }) => cidr).toSorted()]),
	rules: rules.map(ruleKey).toSorted(),
	routes: [...new Set(routes.map(routeKey))].toSorted(),
})

test('the predicted links, rules and routes are those of the host after the run', () => {
	fc.assert(
		fc.property(anyNode, anyNodeWish, anyNodeWish, fc.subarray([0, 1, 2]), (...[node, first, other, same]) => {
			const start = stateOf(node)
			const middle = withKernel(afterEvery(start, planOf(first, start).steps, false))
			const isSame = ({ id }: Interface) => id !== undefined && same.includes(id)
			const made = planOf([...first.filter(isSame), ...other.filter(nic => !isSame(nic))], middle)
			expect(network(predictedHost(made, middle))).toEqual(network(withKernel(afterEvery(middle, made.steps, false))))
		}),
		{ numRuns: 60 },
	)
})

test.each<[title: string, up: boolean, isSame: boolean]>([
	['is the host itself if nothing changes', true, true],
	['has a link of the run that is up', false, false],
])('a prediction %s', (_, up, isSame) => {
	const host = hostOf({ up })
	const predicted = predictedHost(selected({ accepted: [{ nic: nicOf(), link: linkOf(host), ours: undefined }] }), host)
	expect(predicted === host).toBe(isSame)
	expect(linkOf(predicted).up).toBe(true)
})

describe('a prediction', () => {
	const [own, theirs] = [addressOf('10.0.0.23/24'), addressOf('10.5.0.5/24')]
	const elsewhere = [routeOf('10.8.0.0/16', { link: 2 }), routeOf('192.168.9.0/24', { link: 2, protocol: 2 })]
	const kernel = ['10.0.0.0/24', '10.5.0.0/24', '10.6.0.0/24'].map(to => routeOf(to, { protocol: 2 }))
	const table = routeOf('10.0.0.0/24', { table: 100 })
	const rules = [ruleOf({ priority: 512, table: 77 }), ruleOf()]
	const host = hostOf(
		{ up: true, addresses: [own, theirs] },
		{ routes: [...elsewhere, ...kernel, table, routeOver([2, 3]), routeOf('10.7.0.0/16', { table: 100 })], rules },
	)
	const ours = oursOf({ addresses: [own.cidr], original: { up: false } })

	test('lacks what a run removes, has what it adds, and keeps everything else', () => {
		const accepted = [{ nic: nicOf({ addresses: ['10.0.0.99/24'] }), link: linkOf(host), ours }]
		const predicted = predictedHost(selected({ accepted }), host)
		expect(predicted.links.map(({ addresses }) => addresses.map(({ cidr }) => cidr))).toEqual([[], [theirs.cidr, '10.0.0.99/24']])
		expect(predicted.rules.map(({ priority, from }) => [priority, from])).toEqual([
			[512, '10.0.0.23/32'],
			[10_000, '10.0.0.99/32'],
		])
		const kept = [...elsewhere, table, routeOver([2, 3])]
		const links = { ...linkOf(host), addresses: [theirs, addressOf('10.0.0.99/24')] }
		const added = [...connectedRoutes(links), ...localRoutes(links), routeOf('10.6.0.0/24', { protocol: 2 })]
		expect(predicted.routes.map(routeKey).toSorted()).toEqual([...kept, ...added].map(routeKey).toSorted())
	})

	test('has no route over a link that the run sets down, except those that also use another link', () => {
		const predicted = predictedHost(selected({ released: [{ ours, link: linkOf(host) }] }), host)
		expect(predicted.routes).toEqual([...elsewhere, routeOver([2, 3])])
		expect(predicted.rules).toEqual(rules.slice(0, 1))
	})
})

test('a prediction has a released link in its original state, without routes if that state is down', () => {
	const host = hostOf(
		{ up: true, addresses: [addressOf('10.5.0.5/24')] },
		{ routes: [routeOf('10.9.0.0/16'), routeOf('10.8.0.0/16', { link: 2 })] },
	)
	const of = (up: boolean) => predictedHost(selected({ released: [{ ours: oursOf({ original: { up } }), link: linkOf(host) }] }), host)
	expect([linkOf(of(false)).up, of(false).routes]).toEqual([false, [routeOf('10.8.0.0/16', { link: 2 })]])
	expect([linkOf(of(true)).up, of(true).routes.map(({ to }) => to)]).toEqual([
		true,
		[...['10.9.0.0/16', '10.8.0.0/16'], ...['10.5.0.0/24', '10.5.0.5/32']],
	])
})

test('a prediction has an address once, with its last attributes, if the run adds it several times', () => {
	const host = hostOf({ up: true, addresses: [addressOf('fd00::23/64', { dynamic: true, validSeconds: 60, metric: 513 })] })
	const accepted = [{ nic: nicOf({ addresses: ['fd00::23/64'] }), link: linkOf(host), ours: undefined }]
	const predicted = predictedHost(selected({ accepted }), host)
	expect(linkOf(predicted).addresses).toEqual([addressOf('fd00::23/64', { metric: 256 })])
	expect(predicted.routes.flatMap(({ table, metric }) => (table === 254 ? [metric] : []))).toEqual([256])
})

test('a prediction has an address for each of its peers', () => {
	const addresses = ['10.1.0.1', '10.2.0.1'].map(peer => addressOf('10.0.0.5/32', { peer }))
	const host = hostOf({ up: true })
	const released = [{ ours: oursOf({ original: { addresses: addresses as never } }), link: linkOf(host) }]
	expect(linkOf(predictedHost(selected({ released }), host)).addresses).toEqual(addresses)
})

test('a prediction adds no routes to a link that the run does not touch', () => {
	const host = hostOf()
	const held = { ...host, links: host.links.map(link => ({ ...link, addresses: [addressOf('10.5.0.5/24')] })) }
	const { routes } = predictedHost(selected({ accepted: [{ nic: nicOf(), link: linkOf(held), ours: undefined }] }), held)
	expect(routes.map(({ link }) => link)).toEqual([3, 3])
})

test('a prediction has all links of the run in state up', () => {
	const host = hostOf()
	const accepted = host.links.map((link, id) => ({ nic: nicOf({ id }), link, ours: undefined }))
	expect(predictedHost(selected({ accepted }), host).links.map(({ up }) => up)).toEqual([true, true])
})

const common = { link: 3, metric: 0, protocol: 2, onlink: false }
const local: Omit<Route, 'family' | 'to'> = { ...common, table: 255, type: 2, scope: 254 }

test.each<[cidr: string, more: object, connected: Partial<Route> | undefined, local: Partial<Route>]>([
	['10.0.0.23/24', {}, { family: 4, to: '10.0.0.0/24', scope: 253 }, { family: 4, to: '10.0.0.23/32' }],
	['fd00::23/64', {}, { family: 6, to: 'fd00::/64', scope: 0, metric: 256 }, { family: 6, to: 'fd00::23/128' }],
	['10.0.0.23/32', {}, undefined, { family: 4, to: '10.0.0.23/32' }],
	['fe80::23/64', { global: false }, undefined, { family: 6, to: 'fe80::23/128' }],
	['10.0.0.23/24', { flags: ['noprefixroute'] }, undefined, { family: 4, to: '10.0.0.23/32' }],
])('the routes that the kernel adds for %s with %j', (cidr, more, connected, own) => {
	const link = linkOf(hostOf({ addresses: [addressOf(cidr, more)] }))
	expect(connectedRoutes(link)).toEqual(connected ? [{ ...common, table: 254, type: 1, ...connected }] : [])
	expect(localRoutes(link)).toEqual([{ ...local, ...own }])
})
