import { describe, expect, test } from 'vitest'
import { type Action, asSteps, type Change, type Step } from '../../../agent/model/change.ts'
import type { HostState } from '../../../agent/model/host-state.ts'
import { undoOf } from '../../../agent/plan/undo.ts'
import { addressOf, hostOf, routeOf, routeOver, ruleOf } from './selected.ts'

/** The undo of the steps of a run, by kind. By default, link 3 (`ens3`) is down and has no addresses. */

const undo = (changes: readonly Change[], host: HostState = hostOf()) => undoOf(asSteps(changes), host)
const file = (content: string) => ({ content, mode: 0o644, gid: 0 })
const write = (path: string, content: string): Change => ({ kind: 'writeFile', path, file: file(content) })
const remove = (path: string): Change => ({ kind: 'removeFile', path })
const setting = (name: string, value: string): Change => ({ kind: 'sysctl', name, key: 'ipv4/rp_filter', value })
const address = (kind: 'addAddress' | 'removeAddress', of = addressOf('10.0.0.23/24')): Change => ({ kind, link: 3, address: of })
const rule = (kind: 'addRule' | 'removeRule', priority = 10_000): Change => ({ kind, rule: ruleOf({ priority }) })
const mtu = (bytes: number): Change => ({ kind: 'mtu', link: 3, bytes })
const [near, far] = [routeOf('10.9.0.0/16'), routeOf('0.0.0.0/0', { via: '10.9.0.1' })]
const lease = addressOf('10.0.0.23/24', { dynamic: true, validSeconds: 60 })
const linkLocal = addressOf('fe80::f816:3eff:fe00:3/64', { global: false })
const six = routeOf('fd07::/64', { metrics: { mtu: '1400' } })

describe('the undo of', () => {
	test.each<[title: string, changes: Change[], undo: Change[], host?: HostState]>([
		['no changes is empty', [], []],
		['setting a link up sets it down', [{ kind: 'up', link: 3 }], [{ kind: 'down', link: 3 }]],
		['setting a link down sets it up', [{ kind: 'down', link: 3 }], [{ kind: 'up', link: 3 }], hostOf({ up: true })],
		['another MTU restores the MTU', [mtu(1400)], [mtu(1500)]],
		[
			'another MTU also restores the IPv6 MTU if that differs',
			[mtu(1400)],
			[mtu(1500), { kind: 'sysctl', name: 'ens3', key: 'ipv6/mtu', value: '1300' }],
			hostOf({ sysctls: { 'ipv6/mtu': '1300' } }),
		],
		[
			'another MTU restores the MTU of the IPv6 routes of that link',
			[mtu(1400)],
			[mtu(1500), { kind: 'addRoute', route: six, replace: true }],
			hostOf({}, { routes: [six, { ...six, link: 2 }] }),
		],
		['a setting restores its value', [setting('ens3', '2')], [setting('ens3', '1')], hostOf({ sysctls: { 'ipv4/rp_filter': '1' } })],
		['a setting with an unknown value does not change it', [setting('ens3', '2')], []],
		['a setting of a link that the host does not have does not change it', [setting('multinic0', '2')], []],
		['a new file removes it', [write('/etc/a', 'new')], [remove('/etc/a')]],
		['a changed file restores it', [write('/etc/a', 'new')], [write('/etc/a', 'old')], hostOf({}, { files: { '/etc/a': file('old') } })],
		['a removed file restores it', [remove('/etc/a')], [write('/etc/a', 'old')], hostOf({}, { files: { '/etc/a': file('old') } })],
		['several files starts with the last one', [write('/etc/a', 'new'), write('/etc/b', 'new')], [remove('/etc/b'), remove('/etc/a')]],
	])('%s', (_, changes, expected, host = hostOf()) => {
		expect(undo(changes, host)).toEqual(asSteps(expected))
	})

	test.each<[title: string, changes: Change[], undo: Change[], host?: HostState]>([
		[
			'new rules removes them, the last one first',
			[rule('addRule', 1), rule('addRule', 2)],
			[rule('removeRule', 2), rule('removeRule', 1)],
		],
		['a rule that the host had adds it again', [rule('addRule')], [rule('addRule')], hostOf({}, { rules: [ruleOf()] })],
		['a new rule removes it from a host that has others', [rule('addRule', 1)], [rule('removeRule', 1)], hostOf({}, { rules: [ruleOf()] })],
		[
			'removed rules adds them again, the last one first',
			[rule('removeRule', 1), rule('removeRule', 2)],
			[rule('addRule', 2), rule('addRule', 1)],
		],
		['a new route removes it', [{ kind: 'addRoute', route: near }], [{ kind: 'removeRoute', route: near }]],
		[
			'a route that the host had adds it again',
			[{ kind: 'addRoute', route: near, replace: true }],
			[{ kind: 'addRoute', route: near, replace: true }],
		],
		[
			'removed routes adds them again, starting with those through which others are reached',
			[far, near].map((route): Change => ({ kind: 'removeRoute', route })),
			[near, far].map((route): Change => ({ kind: 'addRoute', route })),
		],
		['a new address removes it', [address('addAddress')], [address('removeAddress')]],
		['a new address next to others removes it', [address('addAddress')], [address('removeAddress')], hostOf({ addresses: [linkLocal] })],
		[
			'a removed address adds it again',
			[address('removeAddress')],
			[address('addAddress')],
			hostOf({ addresses: [addressOf('10.0.0.23/24')] }),
		],
		[
			'an address that was a lease restores the lease',
			[address('addAddress')],
			[address('addAddress', lease)],
			hostOf({ addresses: [lease] }),
		],
		[
			'a link-local address that the kernel added does not change it',
			[address('addAddress', linkLocal)],
			[],
			hostOf({ addresses: [linkLocal] }),
		],
		['a new address does not change the same address on another link', [address('addAddress')], [address('removeAddress')], twice(lease)],
	])('%s', (_, changes, expected, host = hostOf()) => {
		expect(undo(changes, host)).toEqual(asSteps(expected))
	})

	test.each<[title: string, change: Change, undo: Change]>([
		[
			'a new route does not change the MTU of the IPv6 routes of its link',
			{ kind: 'addRoute', route: near },
			{ kind: 'removeRoute', route: near },
		],
		[
			'a removed route does not change the labels of the addresses of its link',
			{ kind: 'removeRoute', route: near },
			{ kind: 'addRoute', route: near },
		],
	])('%s', (_, change, expected) => {
		const host = hostOf({ addresses: [addressOf('10.5.0.5/24', { label: 'ens3:a' })], sysctls: { 'ipv6/mtu': '1300' } }, { routes: [six] })
		expect(undo([change], host)).toEqual(asSteps([expected]))
	})

	test('another MTU and state restores both, and the IPv6 routes', () => {
		const host = hostOf({ up: true }, { routes: [six] })
		expect(undo([mtu(1400), { kind: 'up', link: 3 }], host)).toEqual(
			asSteps([mtu(1500), { kind: 'up', link: 3 }, { kind: 'addRoute', route: six }, { kind: 'addRoute', route: six, replace: true }]),
		)
	})

	test('changes of two links restores each attribute of the link that has changed', () => {
		const host = hostOf({ sysctls: { 'ipv6/mtu': '1300' } }, { routes: [six] })
		expect(
			undo(
				[
					{ kind: 'mtu', link: 2, bytes: 1400 },
					{ kind: 'up', link: 3 },
				],
				host,
			),
		).toEqual(
			asSteps([
				{ kind: 'mtu', link: 2, bytes: 1500 },
				{ kind: 'down', link: 3 },
			]),
		)
	})

	/** Only link 2 has this address. */
	function twice(one: ReturnType<typeof addressOf>): HostState {
		const host = hostOf()
		return { ...host, links: host.links.map(link => ({ ...link, addresses: link.ifindex === 2 ? [one] : [] })) }
	}
})

describe('routes and rules that the last steps remove after others have replaced them', () => {
	const leave: Change[] = [{ kind: 'removeRoute', route: near }, rule('removeRule', 1), rule('removeRule', 2)]
	const again: Change[] = [{ kind: 'addRoute', route: near }, rule('addRule', 2), rule('addRule', 1)]

	test('are added before the replacements are removed, and again at the end', () => {
		expect(undo([rule('removeRule', 3), rule('addRule'), ...leave])).toEqual(
			asSteps([...again, rule('removeRule'), ...again, rule('addRule', 3)]),
		)
	})

	test('are added once if there are no replacements', () => {
		expect(undo(leave)).toEqual(asSteps(again))
	})
})

describe('an undo restores what a link loses while it is down if a step', () => {
	const neighbour = { link: 3, ip: '10.0.0.9', mac: '02:00:00:00:00:09' }
	const had = hostOf({ up: true, addresses: [addressOf('fd00::5/64')] }, { neighbours: [neighbour] })
	const notice = (kind: 'manage' | 'unmanage'): Step => ({ action: { kind, link: 3, name: 'ens3' } })
	const asStep = (change: Change): Step => ({ change })
	test.each<[title: string, step: Step, isSo: boolean]>([
		['makes NetworkManager release it', notice('unmanage'), true],
		['makes NetworkManager manage it', notice('manage'), true],
		['changes it', asStep(mtu(1400)), true],
		['adds a route over it', asStep({ kind: 'addRoute', route: near }), true],
		['adds a route with several next hops, one of them on it', asStep({ kind: 'addRoute', route: routeOver([2, 3]) }), true],
		['only probes an address on it', { action: { kind: 'checkDuplicates', link: 3, name: 'ens3', ips: [], mac: '' } }, false],
		['only waits for its name', { action: { kind: 'waitForNames', names: ['ens3'] } }, false],
		['adds a route over another link', asStep({ kind: 'addRoute', route: { ...near, link: 2 } }), false],
		['adds a rule', asStep(rule('addRule')), false],
		['writes a file', asStep(write('/etc/a', '')), false],
	])('%s', (_, step, isSo) => {
		const lost = [
			{ kind: 'addAddress', link: 3, address: addressOf('fd00::5/64') },
			{ kind: 'addNeighbour', neighbour },
		]
		expect(undoOf([step], had).filter(({ change }) => change?.kind === 'addNeighbour' || change?.kind === 'addAddress')).toEqual(
			isSo ? lost.map(change => ({ change })) : [],
		)
		const down = { ...had, links: had.links.map(link => ({ ...link, up: false })) }
		expect(undoOf([step], down).filter(({ change }) => change?.kind === 'addNeighbour')).toEqual([])
	})
})

test('an undo releases links from NetworkManager first and returns them at the end, and restores files before the objects that they configure', () => {
	const act = (action: Action): Step => ({ action })
	const manage = (kind: 'manage' | 'unmanage', link: number): Action => ({ kind, link, name: `ens${link}` })
	const load: Action = { kind: 'loadProfiles', paths: ['/a'] }
	const changes: Change[] = [setting('ens3', '2'), rule('removeRule', 1), mtu(1400), { kind: 'up', link: 3 }, address('addAddress')]
	const steps = [
		act(manage('unmanage', 3)),
		...asSteps([...changes, { kind: 'addRoute', route: near }, rule('addRule'), write('/etc/a', '')]),
		...[act({ kind: 'waitForNames', names: ['a'] }), act({ kind: 'reloadUdev' }), act(load), act(manage('manage', 2))],
	]
	expect(undoOf(steps, hostOf({ sysctls: { 'ipv4/rp_filter': '1' } }))).toEqual([
		...[act(manage('unmanage', 2)), { change: remove('/etc/a') }, act({ kind: 'reloadUdev' }), act(load)],
		...asSteps([rule('removeRule'), { kind: 'removeRoute', route: near }, address('removeAddress')]),
		...asSteps([mtu(1500), { kind: 'down', link: 3 }, rule('addRule', 1), setting('ens3', '1')]),
		act(manage('manage', 3)),
	])
})
