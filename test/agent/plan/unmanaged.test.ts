import { describe, expect, test } from 'vitest'
import type { ChangeStep, Step } from '../../../agent/model/change.ts'
import type { Daemon, HostState, Link, Rule } from '../../../agent/model/host-state.ts'
import type { Selection } from '../../../agent/model/selection.ts'
import { asReplace, daemonSteps, managedLinks, releaseFromDaemon, restoredAfterRename } from '../../../agent/plan/unmanaged.ts'
import { DEFAULT_BASES } from '../../../contract/bases.ts'
import { hostWith } from '../simulated-host.ts'
import { address, recordedNic, route, routeOver, rule, wantedNic } from './one-nic.ts'

/** Links that a daemon releases, and what it may remove from them. */

const NM = 'NetworkManager'
const networkd = 'systemd-networkd'

function hostOf(links: readonly Partial<Link>[], more: Partial<HostState> = {}): HostState {
	return hostWith(
		links.map((link, at) => ({ ifindex: 3 + at, name: `ens${3 + at}`, mac: `fa:16:3e:00:00:0${at}`, ...link })),
		{ rules: [], ...more },
	)
}

function linkOf(link: Partial<Link> = {}): Link {
	return hostOf([link]).links[0] as Link
}

function selectionOf(more: Partial<Selection> = {}): Selection {
	return { accepted: [], refused: [], released: [], kept: [], moves: [], shared: new Map(), bases: [DEFAULT_BASES], ...more }
}

function steps(...changes: ChangeStep['change'][]): Step[] {
	return changes.map(change => ({ change }))
}

const rename = { kind: 'rename', link: 3, to: 'multinic0' } as const
const added = { kind: 'addAddress', link: 3, address: address('10.0.0.23/24') } as const

describe('a daemon releases a link', () => {
	const [down, up] = [
		{ kind: 'down', link: 3 },
		{ kind: 'up', link: 3 },
	] as const
	const routed = { kind: 'addRoute', route: route('10.9.0.0/16') } as const
	const neighbour = { kind: 'addNeighbour', neighbour: { link: 3, ip: '10.0.0.7', mac: '02:00:00:00:00:07' } } as const
	const file = { kind: 'removeFile', path: '/etc/netplan/99-multinic0.yaml' } as const

	test.each<[title: string, daemon: Daemon, change: ChangeStep['change'], isReleased: boolean]>([
		['that NetworkManager manages and that gets an address', NM, added, true],
		['that NetworkManager manages and that gets a route', NM, routed, true],
		['that NetworkManager manages and that gets a neighbour', NM, neighbour, true],
		['that NetworkManager manages and that is renamed', NM, rename, true],
		['but not if only a file changes', NM, file, false],
		['but not if another link gets an address', NM, { ...added, link: 4 }, false],
		['but not if another link gets a route', NM, { kind: 'addRoute', route: route('10.9.0.0/16', { link: 4 }) }, false],
		['that systemd-networkd manages and that is renamed', networkd, rename, true],
		['that systemd-networkd manages and that is set down', networkd, down, true],
		['but systemd-networkd does not if the link is set up', networkd, up, false],
		['but systemd-networkd does not if the link gets an address', networkd, added, false],
	])('%s', (_, managedBy, change, isReleased) => {
		const host = hostOf([{ managedBy }, {}])
		expect(managedLinks(steps(change), host).map(({ ifindex }) => ifindex)).toEqual(isReleased ? [3] : [])
	})

	test.each<[title: string, isRunning: boolean, change: ChangeStep['change'], isReleased: boolean]>([
		['may configure a link that is renamed', true, rename, true],
		['does not configure a link that is set down', true, down, false],
		['does not configure a link that gets an address', true, added, false],
		['does not run', false, rename, false],
	])('that no daemon manages: systemd-networkd %s', (_, isRunning, change, isReleased) => {
		const host = hostOf([{}], { networkd: isRunning })
		expect(managedLinks(steps(change), host)).toEqual(isReleased ? host.links : [])
	})

	test('but not for an action of the run', () => {
		const action = { kind: 'unmanage', link: 3, name: 'ens3' } as const
		expect(managedLinks([{ action }], hostOf([{ managedBy: NM }]))).toEqual([])
	})
})

describe('after its release by a daemon a link may have lost', () => {
	const linkLocal = address('fe80::1/64', { global: false })
	const link = { addresses: [address('10.0.0.23/24'), linkLocal], managedBy: networkd } as const
	const [our, foreign] = [rule({ priority: 10_000, table: 100, from: '10.0.0.23/32', plain: true }), rule()]
	const toPods = rule({ priority: 9_990, table: 254, from: '10.0.0.23/32', to: '10.244.0.0/16', plain: true })
	const nic = wantedNic()

	function released(host: HostState, more: Partial<Selection> = {}, managed = host.links.slice(0, 1)) {
		return releaseFromDaemon(managed, selectionOf(more), host)
	}

	test('its addresses, except link-local ones, and every route that uses it', () => {
		const others = [route('10.9.0.0/16', { link: 4 }), routeOver('10.8.0.0/16', [4, 5])]
		const host = hostOf([link, link], { routes: [...others, route('10.9.0.0/16'), routeOver('10.8.0.0/16', [4, 3])] })
		const [first, second] = host.links as [Link, Link]
		const accepted = [first, second].map(one => ({ nic, link: one, ours: undefined }))
		const leaving = [first, second, undefined].map(one => ({ link: one, ours: recordedNic() }))
		const found = released(host, { accepted, released: leaving })
		const bare = { ...first, addresses: [linkLocal] }
		expect(found.host).toEqual({ ...host, links: [bare, second], routes: others })
		expect(found.selection.accepted).toEqual([bare, second].map(one => ({ nic, link: one, ours: undefined })))
		expect(found.selection.released).toEqual([bare, second, undefined].map(one => ({ link: one, ours: recordedNic() })))
	})

	const base = { table: 500, priority: 5_000 }
	const at500 = rule({ priority: 5_000, table: 500, from: '10.0.0.23/32', plain: true })
	const other = rule({ priority: 10_001, table: 101, from: '10.0.1.23/32', plain: true })
	const ours = recordedNic({ bases: [base] })
	const bases = [DEFAULT_BASES, base]

	test.each<[title: string, of: (link: Link) => Partial<Selection>, rules: Rule[], staying: Rule[]]>([
		['the rules of its interface', one => ({ accepted: [{ nic, link: one, ours: undefined }] }), [our, foreign, other], [foreign, other]],
		['every rule for pods', () => ({}), [toPods, our], [our]],
		['the rules of its former table', one => ({ accepted: [{ nic, link: one, ours }], bases }), [our, at500, other], [other]],
		['the rules in its record, if it is no longer desired', one => ({ released: [{ ours, link: one }], bases }), [our, at500], [our]],
		['no rules of an interface without a link', () => ({ released: [{ ours, link: undefined }], bases }), [at500], [at500]],
		[
			'no rules of the interface of another link',
			one => ({ accepted: [{ nic, link: { ...one, ifindex: 4 }, ours: undefined }] }),
			[our],
			[our],
		],
		[
			'no rules of another link that is no longer desired',
			one => ({ released: [{ ours, link: { ...one, ifindex: 4 } }], bases }),
			[at500],
			[at500],
		],
		[
			'no rule of another program',
			one => ({ accepted: [{ nic, link: one, ours: undefined }] }),
			[{ ...our, plain: false }],
			[{ ...our, plain: false }],
		],
	])('%s', (_, of, rules, staying) => {
		const host = hostOf([link], { rules })
		expect(released(host, of(host.links[0] as Link)).host.rules).toEqual(staying)
	})
})

describe('a refused link that a run renames gets again', () => {
	const given = [route('10.9.0.0/16', { link: 3, via: '10.0.0.7' }), route('10.8.0.0/16', { link: 3 })]
	const other = route('10.7.0.0/16', { link: 4 })
	const fixed = address('10.0.0.23/24', { label: 'ens3:1' })
	const theirs = [fixed, address('10.0.0.99/24', { dynamic: true }), address('fe80::1/64', { global: false })]
	const link = { managedBy: networkd, up: true, addresses: theirs } as const
	const { label: _, ...unlabelled } = fixed
	const again = { change: { kind: 'addAddress', link: 3, address: unlabelled } }
	const routes = [given[1], given[0]].map(one => ({ change: { kind: 'addRoute', route: one, replace: true } }))

	test.each<[title: string, one: Partial<Link>, more: Partial<HostState>, steps: unknown[]]>([
		['its static addresses without a label, and its routes', link, {}, [again, ...routes]],
		['only its addresses, if the rename sets it down', link, { liveRename: false }, [again]],
		['nothing if it is down', { ...link, up: false }, {}, []],
	])('%s', (__, one, more, expected) => {
		const host = hostOf([one, {}], { routes: [...given, other], ...more })
		expect(restoredAfterRename(host.links.slice(0, 1), selectionOf(), host)).toEqual(expected)
	})

	test('an IPv6 address first without duplicate address detection, if it is the source of a route', () => {
		const six = address('fd00::23/64')
		const host = hostOf([{ ...link, addresses: [six] }], { routes: [route('fd09::/64', { source: 'fd00::23' })] })
		const found = restoredAfterRename(host.links, selectionOf(), host).map(({ change }) => change)
		expect(found.slice(0, 2)).toEqual([{ ...six, flags: ['nodad'] }, six].map(one => ({ kind: 'addAddress', link: 3, address: one })))
	})

	test('nothing that other steps restore', () => {
		const host = hostOf([link], { routes: given })
		const own = host.links[0] as Link
		for (const more of [
			{ accepted: [{ nic: wantedNic(), link: own, ours: undefined }] },
			{ released: [{ ours: recordedNic(), link: own }] },
		])
			expect(restoredAfterRename(host.links, selectionOf(more), host)).toEqual([])
		const gone = selectionOf({ released: [{ ours: recordedNic(), link: undefined }] })
		expect(restoredAfterRename(host.links, gone, host)).toHaveLength(3)
	})
})

test('an addition replaces a route that existed before', () => {
	const [before, fresh] = [route('10.9.0.0/16'), route('10.8.0.0/16')]
	const host = hostOf([{}], { routes: [before] })
	const given = [
		{ id: 0, change: { kind: 'addRoute', route: { ...before, protocol: 3 } } },
		{ id: 1, change: { kind: 'addRoute', route: fresh } },
		{ id: 2, change: { kind: 'removeRoute', route: before } },
		{ id: 3, change: added },
	] as const
	const [first, ...others] = given
	expect(asReplace(given, host)).toEqual([{ ...first, change: { ...first.change, replace: true } }, ...others])
})

describe('NetworkManager', () => {
	const nic = wantedNic({ id: 4 })
	const running = { networkmanager: true }
	const byThem = recordedNic({ original: { managed: true } })

	function of(links: readonly Partial<Link>[], more: (links: readonly Link[]) => Partial<Selection>, host: Partial<HostState> = running) {
		const state = hostOf(links, host)
		return daemonSteps(state.links, selectionOf(more(state.links)), state)
	}

	test('releases each of its links first, and those of interfaces are set up again', () => {
		const found = of([{ managedBy: NM }, { managedBy: networkd }, { managedBy: NM }], ([first]) => ({
			accepted: [{ nic, link: first as Link, ours: undefined }],
		}))
		expect(found).toEqual({
			first: [{ id: 4, action: { kind: 'unmanage', link: 3, name: 'ens3' } }, { action: { kind: 'unmanage', link: 5, name: 'ens5' } }],
			up: [{ id: 4, change: { kind: 'up', link: 3 } }],
			last: [],
		})
	})

	const manage = (name: string) => [{ action: { kind: 'manage', link: 3, name } }]
	test.each<[title: string, link: Partial<Link>, of: { ours?: typeof byThem; host?: Partial<HostState> }, isBack: boolean]>([
		['manages a link again that it released for this run', { managedBy: NM }, { ours: recordedNic() }, true],
		['manages a link again that it managed before MultiNIC', {}, {}, true],
		['does not manage a link that systemd-networkd manages', { managedBy: networkd }, {}, false],
		['does not manage a link that it never managed', {}, { ours: recordedNic() }, false],
		['does not run', {}, { host: { networkmanager: false } }, false],
	])('%s', (_, link, { ours = byThem, host }, isBack) => {
		const { last } = of([link], ([first]) => ({ released: [{ ours, link: first }] }), host)
		expect(last).toEqual(isBack ? manage('ens3') : [])
	})

	test('manages only those of its links again that are no longer desired', () => {
		const found = of([{ managedBy: NM }, { managedBy: NM }], ([, second]) => ({ released: [{ ours: recordedNic(), link: second }] }))
		expect(found.last).toEqual([{ action: { kind: 'manage', link: 4, name: 'ens4' } }])
	})

	test('manages a link again with its new name', () => {
		const moves = [
			{ link: 4, from: 'a', to: 'ens9' },
			{ link: 3, from: 'ens3', to: 'ens7' },
		]
		expect(of([{}], ([first]) => ({ released: [{ ours: byThem, link: first }], moves })).last).toEqual(manage('ens7'))
	})

	test('does not manage a link that no longer exists', () => {
		expect(of([], () => ({ released: [{ ours: byThem, link: undefined }] })).last).toEqual([])
	})

	test('does not manage a link again if the run does not touch the link', () => {
		const host = hostOf([{ managedBy: NM }, { managedBy: NM }], running)
		const released = [{ ours: byThem, link: host.links[0] }]
		expect(daemonSteps(host.links.slice(1), selectionOf({ released }), host).last).toEqual([])
	})
})

test('a link of an accepted interface that no daemon manages is not released', () => {
	const link = linkOf()
	const host = hostOf([{}], { networkmanager: true })
	expect(daemonSteps([link], selectionOf({ accepted: [{ nic: wantedNic(), link, ours: undefined }] }), host)).toEqual({
		first: [],
		up: [],
		last: [],
	})
})
