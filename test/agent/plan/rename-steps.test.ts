import { describe, expect, test } from 'vitest'
import type { Change } from '../../../agent/model/change.ts'
import type { HostState, Link } from '../../../agent/model/host-state.ts'
import type { Move } from '../../../agent/model/selection.ts'
import { renameSteps } from '../../../agent/plan/rename-steps.ts'
import { hostWith } from '../simulated-host.ts'
import { addressOf, linkOf, nicOf, routeOf, selected } from './selected.ts'

/** Link 3 is configured as interface 5, link 4 is refused but may have to release its name. */

const six = addressOf('fd00::5/64')
const kept = routeOf('fd07::/64', { via: 'fd00::1' })
const stale = routeOf('fd08::/64')
const link = (ifindex: number, name: string, more: Partial<Link> = {}) => ({
	ifindex,
	name,
	mac: `fa:16:3e:00:00:0${ifindex}`,
	up: true,
	...more,
})
const host = (more: Partial<HostState>, three: Partial<Link> = {}): HostState => ({
	...hostWith([link(2, 'eth2'), link(3, 'ens3', three), link(4, 'multinic5')], more),
	routes: [],
	...more,
})
const nic = nicOf({ id: 5, addresses: ['fd00::5/64'], routes: [{ to: 'fd07::/64', via: 'fd00::1', table: 254 }] })
const move = (ifindex: number, from: string, to: string): Move => ({ link: ifindex, from, to })
const both = [move(3, 'ens3', 'multinic5'), move(4, 'multinic5', 'ens4')]
const steps = (moves: Move[], start: HostState, { take = [], shape = [] }: { take?: Change[]; shape?: Change[] } = {}) => {
	const asSteps = (changes: Change[]) => changes.map(change => ({ change }))
	const accepted = [{ nic, link: linkOf(start), ours: undefined }]
	return renameSteps(selected({ accepted, moves }), start, { take: asSteps(take), shape: asSteps(shape) })
}
const rename = (ifindex: number, to: string): Change => ({ kind: 'rename', link: ifindex, to })
const wait = (...names: string[]) => ({ action: { kind: 'waitForNames', names } })

describe('a link that is renamed', () => {
	test('keeps its state if the kernel renames links that are up', () => {
		expect(steps(both, host({ liveRename: true }))).toEqual({
			down: [],
			steps: [{ change: rename(4, 'ens4') }, { id: 5, change: rename(3, 'multinic5') }],
			up: [],
			restored: [],
		})
	})

	test('is set down and up again if the kernel requires it, and a step belongs to its interface', () => {
		const { down, up } = steps(both, host({ liveRename: false }))
		expect(down).toEqual([{ id: 5, change: { kind: 'down', link: 3 } }, { change: { kind: 'down', link: 4 } }])
		expect(up).toEqual([{ id: 5, change: { kind: 'up', link: 3 } }, { change: { kind: 'up', link: 4 } }])
	})

	test.each<[title: string, input: { moves?: Move[]; three?: Partial<Link>; shape?: Change[] }, down: number[], up: number[]]>([
		['is not set down if it is down', { three: { up: false } }, [4], [4]],
		['is not set down if it has its desired name', { moves: [move(3, 'ens3', 'ens3')] }, [], []],
		['is not set up again if the run sets it down', { shape: [{ kind: 'down', link: 3 }] }, [3, 4], [4]],
		['is set up again if the run changes something else', { shape: [{ kind: 'mtu', link: 3, bytes: 1400 }] }, [3, 4], [3, 4]],
		['is set up again if the run sets another link down', { shape: [{ kind: 'down', link: 2 }] }, [3, 4], [3, 4]],
	])('%s', (_, { moves = both, three, shape = [] }, down, up) => {
		const made = steps(moves, host({ liveRename: false }, three), { shape })
		const linksOf = (all: typeof made.down) => all.map(({ change }) => ('link' in change ? change.link : 0))
		expect([linksOf(made.down), linksOf(made.up)]).toEqual([down, up])
	})
})

describe('the daemons of the host', () => {
	test.each<[title: string, moves: Move[], steps: object[]]>([
		['are waited for at the end', [move(4, 'multinic5', 'ens4')], [{ change: rename(4, 'ens4') }, wait('ens4')]],
		[
			'are waited for before another link gets a released name',
			both,
			[{ change: rename(4, 'ens4') }, wait('ens4'), { id: 5, change: rename(3, 'multinic5') }, wait('multinic5', 'ens4')],
		],
		[
			'are not waited for because of a name that does not change',
			[move(3, 'ens3', 'ens3'), move(4, 'multinic5', 'ens4')],
			[{ change: rename(4, 'ens4') }, wait('ens4')],
		],
	])('%s', (_, moves, expected) => {
		expect(steps(moves, host({ networkd: true })).steps).toEqual(expected)
	})
})

describe('what a link loses while it is down is restored', () => {
	const had = host({ liveRename: false, routes: [kept, stale] }, { addresses: [six] })
	const restored = (take: Change[], shape: Change[] = []) => steps(both, had, { take, shape }).restored
	const added = { id: 5, change: { kind: 'addAddress', link: 3, address: six } }
	const wantedRoute = { id: 5, change: { kind: 'addRoute', route: kept } }
	const staleRoute = { id: 5, change: { kind: 'addRoute', route: stale } }

	test.each<[title: string, take: Change[], shape: Change[], restored: object[]]>([
		['if the run removes nothing', [], [], [added, staleRoute, wantedRoute]],
		['but not an address that the run removes', [{ kind: 'removeAddress', link: 3, address: six }], [], [staleRoute, wantedRoute]],
		[
			'even if the run removes another address',
			[{ kind: 'removeAddress', link: 2, address: { ...six } }],
			[],
			[added, staleRoute, wantedRoute],
		],
		['but not a route that the run removes', [{ kind: 'removeRoute', route: stale }], [], [added, wantedRoute]],
		['but nothing if the link is set down', [], [{ kind: 'down', link: 3 }], []],
	])('%s', (_, take, shape, expected) => {
		expect(restored(take, shape)).toEqual(expected)
	})

	test('and a desired route gets its desired attributes', () => {
		const found = { ...kept, onlink: true }
		expect(steps(both, host({ liveRename: false, routes: [found] })).restored).toEqual([wantedRoute])
	})
})
