import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { HostState } from '../../../agent/model/host-state.ts'
import { ruleKey } from '../../../agent/model/desired-rules.ts'
import { type Route, routeKey } from '../../../agent/model/route.ts'
import { plan } from '../../../agent/plan/plan.ts'
import { connectedRoutes, localRoutes, predictedHost } from '../../../agent/plan/predicted-host.ts'
import { type Interface, settle } from '../../../contract/interface.ts'
import { anyNode, anyNodeWish, stateOf, withKernel } from '../any-node.ts'
import { afterEvery } from '../simulated-host.ts'
import { addressOf, hostOf, linkOf, nicOf, selected } from './selected.ts'

const planOf = (wish: Interface[], host: HostState) =>
	plan({ interfaces: settle(wish), nodeAddresses: [], kinds: new Set(['hardware']), failed: new Map() }, host, {})

const network = ({ links, rules, routes }: Pick<HostState, 'links' | 'rules' | 'routes'>) => ({
	links: links.map(({ ifindex, up, addresses }) => [ifindex, up, addresses.map(({ cidr }) => cidr).toSorted()]),
	rules: rules.map(ruleKey).toSorted(),
	routes: [...new Set(routes.map(routeKey))].toSorted(),
})

test('the predicted links, rules and routes are those of the host after the run', () => {
	fc.assert(
		fc.property(anyNode, anyNodeWish, anyNodeWish, (node, first, second) => {
			const start = stateOf(node)
			const middle = withKernel(afterEvery(start, planOf(first, start).steps, false))
			const made = planOf(second, middle)
			expect(network(predictedHost(made, middle))).toEqual(network(withKernel(afterEvery(middle, made.steps, false))))
		}),
		{ numRuns: 60 },
	)
})

test.each<[title: string, up: boolean, isSame: boolean]>([
	['is the host itself if nothing changes', true, true],
	['has a link of the run up', false, false],
])('a prediction %s', (_, up, isSame) => {
	const host = hostOf({ up })
	const predicted = predictedHost(selected({ accepted: [{ nic: nicOf(), link: linkOf(host), ours: undefined }] }), host)
	expect(predicted === host).toBe(isSame)
	expect(linkOf(predicted).up).toBe(true)
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
