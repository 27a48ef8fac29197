import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Host } from '../../agent/run/host.ts'
import type { HostState, Neighbour, Rule } from '../../agent/model/host-state.ts'
import type { Route } from '../../agent/model/route.ts'
import { failure } from '../../agent/model/failure.ts'
import { createLog } from '../../agent/report/log.ts'
import { run } from '../../agent/run/run.ts'
import { runConfig } from '../../lab/setup/machine-agent.ts'
import { BASE_RULES, hostWith, livingHost } from './simulated-host.ts'

/**
 * Another program removes or changes objects that MultiNIC does not manage at some point of a run. The result of the run depends on what is
 * still missing or different after its rollback.
 */
const mac = (id: number) => `fa:16:3e:00:00:0${id}`
const route: Route = {
	family: 4,
	to: '10.77.0.0/16',
	via: '192.168.9.7',
	link: 2,
	table: 254,
	metric: 0,
	protocol: 12,
	type: 1,
	scope: 0,
	onlink: false,
}
const rule: Rule = { family: 4, priority: 512, from: '10.42.0.5/32', table: 77, plain: true, words: '512: from 10.42.0.5/32 table 77' }
const neighbour: Neighbour = { link: 4, ip: '10.42.7.9', mac: '02:00:00:00:00:07' }
const address = { family: 4 as const, cidr: '192.168.9.77/32', global: true, dynamic: false }
const primary = { family: 4 as const, cidr: '192.168.9.2/24', global: true, dynamic: false }

const start = hostWith(
	[
		{ ifindex: 2, name: 'eth0', mac: '02:00:00:00:00:01', up: true, addresses: [primary, address] },
		{ ifindex: 4, name: 'vx0', mac: '02:00:00:00:00:02', up: true, kind: 'vxlan', master: 'br0' },
		...[0, 1, 2].map(id => ({ ifindex: id + 5, name: `ens${id}`, mac: mac(id) })),
	],
	{ routes: [route], rules: [...BASE_RULES, rule], neighbours: [neighbour] },
)
const wish = [0, 1, 2].map(id => ({ id, macAddress: mac(id), address: `10.0.${id}.23`, cidr: `10.0.${id}.0/24` }))

type Taking = (state: HostState) => HostState
const link =
	(name: string, change: (link: HostState['links'][number]) => HostState['links'][number]): Taking =>
	state => ({
		...state,
		links: state.links.map(one => (one.name === name ? change(one) : one)),
	})

const foreign: Record<string, Taking> = {
	'a route': state => ({ ...state, routes: state.routes.filter(({ to }) => to !== route.to) }),
	'the gateway of a route': state => ({
		...state,
		routes: state.routes.map(one => (one.to === route.to ? { ...one, via: '192.168.9.8' } : one)),
	}),
	'a rule': state => ({ ...state, rules: state.rules.filter(({ priority }) => priority !== rule.priority) }),
	'a neighbour': state => ({ ...state, neighbours: [] }),
	'the MAC of a neighbour': state => ({ ...state, neighbours: state.neighbours.map(one => ({ ...one, mac: '02:00:00:00:00:08' })) }),
	'a virtual address': link('eth0', one => ({ ...one, addresses: [primary] })),
	'the MTU of a link': link('vx0', one => ({ ...one, mtu: 1450 })),
	'the name of a link': link('vx0', one => ({ ...one, name: 'vx1' })),
	'the bridge of a link': link('vx0', one => ({ ...one, master: 'br1' })),
	'a link that goes down': link('vx0', one => ({ ...one, up: false })),
}
const kinds = Object.keys(foreign)

/** Objects that refer to what the run changes: a table, an address, a network, a name, or a link of a NIC. */
const related: Record<string, { has: Partial<HostState>; taking: Taking }> = {
	'a route via a gateway with a desired address': withRoute({ to: '10.9.0.0/16', via: '10.0.1.23' }),
	'a route via a gateway in a desired network': withRoute({ to: '10.9.0.0/16', via: '10.0.0.7' }),
	'a route with a desired address as its source': withRoute({ to: '10.9.0.0/16', source: '10.0.1.23' }),
	'a rule from a desired address': withRule({ from: '10.0.2.23/32', words: '600: from 10.0.2.23 table 77' }),
	'a rule with the name of a NIC': withRule({ words: '600: iif ens1 table 77' }),
	'a rule with the new name of a NIC': withRule({ words: '600: oif multinic1 table 77' }),
	'a neighbour with a desired address': {
		has: { neighbours: [{ link: 4, ip: '10.0.0.23', mac: '02:00:00:00:00:09' }] },
		taking: state => ({ ...state, neighbours: [] }),
	},
	'the MTU of the peer of a NIC': {
		has: {
			links: [
				...start.links,
				{
					...hostWith([{ ifindex: 20, name: 'tun9', mac: '02:00:00:00:00:20', kind: 'veth' }]).links[0],
					lower: 6,
				} as HostState['links'][number],
			],
		},
		taking: link('tun9', one => ({ ...one, mtu: 1400 })),
	},
}

function withRoute(more: Partial<Route>): { has: Partial<HostState>; taking: Taking } {
	return {
		has: { routes: [{ ...route, ...more }] },
		taking: state => ({ ...state, routes: state.routes.filter(({ to }) => to !== more.to) }),
	}
}

function withRule(more: Partial<Rule>): { has: Partial<HostState>; taking: Taking } {
	return {
		has: { rules: [...BASE_RULES, { ...rule, priority: 600, ...more }] },
		taking: state => ({ ...state, rules: state.rules.filter(({ priority }) => priority !== 600) }),
	}
}

describe('an object that another program changes during a run', () => {
	const moments = fc.record({ what: fc.subarray(kinds, { minLength: 1 }), step: fc.nat(40), onUndo: fc.boolean() })

	test('is noted in the report, at any step and of any kind, and the run applies its steps again', async () => {
		await fc.assert(
			fc.asyncProperty(moments, async ({ what, step, onUndo }) => {
				const taking: Taking = state => what.reduce((now, kind) => foreign[kind]?.(now) ?? now, state)
				const { report, said } = await runOn(start, { taking, step, failsOnce: onUndo })
				expect(report, said).toMatchObject({ outcome: 'Succeeded', message: 'Configured 3/3' })
				expect(report.notes?.length).toBe(new Set(what.map(kindOf)).size)
				expect(said).not.toContain('everything is as it was before the run')
			}),
			{ numRuns: 150 },
		)
	})

	test.each(Object.entries(related))(
		'ends the run with NotRestored if it refers to what the run changes: %s',
		async (_, { has, taking }) => {
			const { report, said } = await runOn({ ...start, ...has }, { taking, step: 2 })
			expect(report, said).toMatchObject({ outcome: 'Failed', reason: 'NotRestored' })
			expect(said).not.toContain('everything is as it was before the run')
		},
	)

	test('ends the run with NotVerified if another object changes in every attempt', async () => {
		let left = 20
		const { report } = await runOn(
			{ ...start, routes: Array.from({ length: 20 }, (_, at) => ({ ...route, to: `10.${at + 100}.0.0/16` })) },
			{ taking: state => ({ ...state, routes: state.routes.slice(0, --left) }), step: 2, always: true },
		)
		expect(report).toMatchObject({ outcome: 'Failed', reason: 'NotVerified' })
		expect(report.message).toMatch(/^another program is changing the network of this node: route .*; everything was rolled back$/)
	})
})

/** Two changes of the same object are reported as one. */
function kindOf(what: string): string {
	return what.includes('neighbour') ? 'neighbour' : what.includes('route') ? 'route' : what.includes(' link') ? 'link' : what
}

type Moment = { taking: Taking; step: number; failsOnce?: boolean; always?: boolean }

/** Another program makes its changes after `step` steps. With `failsOnce`, the first attempt also fails for another reason. */
async function runOn(state: HostState, { taking, step, failsOnce = false, always = false }: Moment) {
	const { host, now, put } = livingHost(state)
	let isOver = false
	let said = ''
	const apply: Host['apply'] = async steps => {
		await host.apply(steps.slice(0, step))
		if (!isOver || always) put(taking(now()))
		await host.apply(steps.slice(step))
		isOver = true
	}
	const surrounding = {
		log: createLog('human', line => {
			said += line
		}),
		kinds: new Set(['hardware']),
		apiServer: undefined,
	}
	const report = await run(runConfig(wish), { ...host, apply: failsOnce ? failing(apply) : apply }, surrounding)
	return { report, said }
}

/** Mimics a kernel that rejects the first rename of a link that is up. */
function failing(apply: Host['apply']): Host['apply'] {
	let isFirst = true
	return async steps => {
		await apply(steps)
		if (isFirst) {
			isFirst = false
			throw failure('COMMAND_FAILED', 'ip link set dev if5 name multinic0: Device or resource busy')
		}
	}
}
