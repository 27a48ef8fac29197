import { describe, expect, test } from 'vitest'
import type { Change } from '../../../agent/model/change.ts'
import type { HostState, Link } from '../../../agent/model/host-state.ts'
import type { RecordedLink } from '../../../agent/model/record.ts'
import { release } from '../../../agent/plan/configure.ts'
import { addressOf, hostOf, linkOf, oursOf, routeOf, ruleOf, selected } from './selected.ts'

/** What a run changes on link 3 to release it: it was `ens3` before MultiNIC managed it. */

type Input = { link?: Partial<Link>; ours?: Parameters<typeof oursOf>[0]; more?: Partial<HostState> }
const phases = ({ link = {}, ours = {}, more = {} }: Input) => {
	const host = hostOf({ name: 'multinic0', up: true, ...link }, more)
	const one: { ours: RecordedLink; link: Link } = { ours: oursOf(ours), link: linkOf(host) }
	return release(one, selected({ released: [one] }), host)
}
const none = { settings: [], take: [], shape: [], probe: [], give: [], leave: [] }
const mtu: Change = { kind: 'mtu', link: 3, bytes: 1500 }
const setting = (name: string, key: string, value: string): Change => ({ kind: 'sysctl', name, key, value })
const altname = (kind: 'addAltname' | 'removeAltname', name: string): Change => ({ kind, link: 3, name })
const [own, before] = [addressOf('10.0.0.23/24'), addressOf('10.6.0.5/24')]
const address = (kind: 'addAddress' | 'removeAddress', one: typeof own): Change => ({ kind, link: 3, address: one })
const route = routeOf('10.7.0.0/16')
const six = routeOf('fd07::/64', { metrics: { mtu: '1400' } })
const add = (one: typeof route): Change => ({ kind: 'addRoute', route: one })

describe('a release restores', () => {
	test.each<[title: string, input: Input, phases: Partial<typeof none> | object]>([
		['nothing that is as before', {}, {}],
		[
			'settings, with the current name of the link',
			{ link: { sysctls: { a: '1' } }, ours: { original: { sysctls: { a: '0' } } } },
			{ settings: [setting('multinic0', 'a', '0')] },
		],
		['the MTU', { link: { mtu: 1400 } }, { shape: [mtu] }],
		[
			'the IPv6 MTU, with the original name of the link',
			{ link: { mtu: 1400 }, ours: { original: { sysctls: { 'ipv6/mtu': '1300' } } } },
			{ shape: [mtu, setting('ens3', 'ipv6/mtu', '1300')] },
		],
		['no IPv6 MTU if the MTU is as before', { ours: { original: { sysctls: { 'ipv6/mtu': '1300' } } } }, {}],
		['the state up', { link: { up: false } }, { shape: [{ kind: 'up', link: 3 }] }],
		['the state down', { ours: { original: { up: false } } }, { shape: [{ kind: 'down', link: 3 }] }],
		['nothing if the link was down and is down', { link: { up: false }, ours: { original: { up: false } } }, {}],
		[
			'altnames that are missing',
			{ link: { altnames: ['a'] }, ours: { original: { altnames: ['a', 'b'] } } },
			{ give: [altname('addAltname', 'b')] },
		],
		['the name, after removing it from the altnames', { link: { altnames: ['ens3', 'a'] } }, { take: [altname('removeAltname', 'ens3')] }],
		[
			'addresses and routes',
			{ link: { addresses: [own] }, ours: { addresses: [own.cidr], original: { addresses: [before] as never, routes: [route] as never } } },
			{ take: [address('removeAddress', own)], give: [address('addAddress', before), add(route)] },
		],
		[
			'no routes if the link was down',
			{ ours: { original: { up: false, addresses: [before] as never, routes: [route] as never } } },
			{ shape: [{ kind: 'down', link: 3 }], give: [address('addAddress', before)] },
		],
		[
			'the MTU of IPv6 routes after that of the link',
			{ link: { mtu: 1400 }, ours: { original: { routes: [six] as never } }, more: { routes: [six] } },
			{ shape: [mtu], give: [{ kind: 'addRoute', route: six, replace: true }] },
		],
		['no IPv6 route if the MTU is as before', { ours: { original: { routes: [six] as never } }, more: { routes: [six] } }, {}],
	])('%s', (_, input, expected) => {
		expect(phases(input)).toEqual({ ...none, ...expected })
	})
})

describe('a release removes', () => {
	const [later, rule] = [ruleOf({ priority: 512 }), ruleOf()]
	const removal = (one: typeof rule): Change => ({ kind: 'removeRule', rule: one })
	const more = { rules: [later, rule, ruleOf({ priority: 32_766, from: '0.0.0.0/0', table: 254 })] }

	test('first the rules of the interface, then its routes and addresses', () => {
		const stale = routeOf('10.9.0.0/16', { table: 100 })
		const made = phases({
			link: { addresses: [own], altnames: ['ens3'] },
			ours: { addresses: [own.cidr] },
			more: { ...more, routes: [stale] },
		})
		expect(made.take).toEqual([
			...[removal(rule), removal(later), { kind: 'removeRoute', route: stale }],
			...[address('removeAddress', own), altname('removeAltname', 'ens3')],
		])
	})

	test('the rules, even if the link no longer exists', () => {
		const ours = oursOf({ addresses: [own.cidr] })
		expect(release({ ours, link: undefined }, selected(), hostOf({}, more))).toEqual({ ...none, take: [removal(rule), removal(later)] })
	})
})

test('a release adds an original address again if the first address of its network is removed, or if its attributes differ', () => {
	const second = addressOf('10.0.0.5/24')
	const ours = { addresses: [own.cidr], original: { addresses: [second] as never } }
	expect(phases({ link: { addresses: [own, second] }, ours }).give).toEqual([address('addAddress', second)])
	expect(phases({ link: { addresses: [{ ...second, metric: 7 }] }, ours }).give).toEqual([address('addAddress', second)])
	expect(phases({ link: { name: 'ens3', addresses: [second] }, ours }).give).toEqual([])
})

test('a release adds an original IPv6 address again that failed duplicate address detection', () => {
	const six = addressOf('fd00::5/64')
	const { take, give } = phases({ link: { addresses: [{ ...six, duplicate: true }] }, ours: { original: { addresses: [six] as never } } })
	expect([take, give]).toEqual([[address('removeAddress', { ...six, duplicate: true })], [address('addAddress', six)]])
})
