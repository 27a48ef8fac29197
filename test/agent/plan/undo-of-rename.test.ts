import { describe, expect, test } from 'vitest'
import type { Address } from '../../../agent/model/address.ts'
import { asSteps, type Change } from '../../../agent/model/change.ts'
import type { HostState } from '../../../agent/model/host-state.ts'
import type { Route } from '../../../agent/model/route.ts'
import { undoOf } from '../../../agent/plan/undo.ts'
import { afterEvery, comparable } from '../simulated-host.ts'
import { addressOf, hostOf, routeOf } from './selected.ts'

/** What a rename, or the removal of the first address of a network, removes from a link in addition to what it changes. */

const rename: Change = { kind: 'rename', link: 3, to: 'multinic0' }
const named: Change[] = [
	{ kind: 'removeAltname', link: 3, name: 'ens3' },
	{ kind: 'rename', link: 3, to: 'ens3' },
]
const add = (address: Address): Change => ({ kind: 'addAddress', link: 3, address })
const remove = (address: Address): Change => ({ kind: 'removeAddress', link: 3, address })
const route = (one: Route): Change => ({ kind: 'addRoute', route: one })
const undo = (changes: readonly Change[], host: HostState) => undoOf(asSteps(changes), host)
const state = (kind: 'up' | 'down'): Change => ({ kind, link: 3 })

describe('an undo of a rename restores', () => {
	const [first, second] = [addressOf('10.0.0.5/24'), addressOf('10.0.1.5/24')]
	const labelled = { ...first, label: 'ens3:a' }
	const from = (source: string, more: Partial<Route> = {}) => routeOf('10.9.0.0/16', { link: 2, via: '192.168.9.1', source, ...more })

	test.each<[title: string, addresses: Address[], lost: Address[]]>([
		['no label of a first address without a label', [first], []],
		['the label of the first address', [labelled], [labelled]],
		['that another address has no label', [first, second], [second]],
		['several labels, and removes the last address first', [labelled, second], [labelled, second]],
		['nothing of an IPv6 address', [addressOf('fd00::5/64'), first], []],
	])('%s', (_, addresses, lost) => {
		expect(undo([rename], hostOf({ addresses }))).toEqual(
			asSteps([...lost.toReversed().map(remove), ...named, state('down'), ...lost.map(add)]),
		)
	})

	test('the routes of all links that the kernel removes together with an address whose label is restored', () => {
		const [over2, plain, other] = [
			from('10.0.0.5'),
			from('10.0.0.5', { to: '10.8.0.0/16', link: 3 }),
			from('10.0.9.9', { to: '10.7.0.0/16' }),
		]
		const connected = from('10.0.0.5', { to: '10.0.0.0/24', protocol: 2 })
		const host = hostOf({ addresses: [labelled] }, { routes: [over2, connected, other, plain, routeOf('10.6.0.0/16', { link: 2 })] })
		const kernel = {
			...host,
			links: host.links.map(link => (link.ifindex === 2 ? { ...link, addresses: [addressOf('10.0.0.6/24')] } : link)),
		}
		expect(undo([rename], kernel)).toEqual(asSteps([remove(labelled), ...named, state('down'), add(labelled), route(over2), route(plain)]))
		expect(undo([{ kind: 'up', link: 3 }], kernel)).toEqual(asSteps([state('down')]))
	})

	test('the labels if the run also changes something else', () => {
		const host = hostOf({ addresses: [labelled] })
		const mtu: Change = { kind: 'mtu', link: 3, bytes: 1500 }
		expect(undo([{ ...mtu, bytes: 1400 }, rename], host)).toEqual(asSteps([remove(labelled), ...named, mtu, state('down'), add(labelled)]))
	})

	test('the state of the link', () => {
		expect(undo([rename], hostOf({ up: true }))).toEqual(asSteps([...named, state('up')]))
	})
})

describe('after a rename on a host with systemd-networkd, which may configure the link with its new name, an undo restores', () => {
	test.each<[title: string, address: Address, isAgain: boolean]>([
		['an address', addressOf('10.0.0.5/24'), true],
		['no lease', addressOf('10.0.0.5/24', { dynamic: true }), false],
		['no link-local address', addressOf('169.254.0.5/16', { global: false }), false],
	])('the MTU, and %s', (_, address, isAgain) => {
		const host = hostOf({ addresses: [address] }, { networkd: true })
		const wait = { action: { kind: 'waitForNames', names: ['ens3'] } }
		const again = isAgain ? [add(address)] : []
		expect(undo([rename], host)).toEqual([
			...asSteps(named),
			wait,
			...asSteps([{ kind: 'mtu', link: 3, bytes: 1500 }, state('down'), ...again]),
		])
		expect(undo([{ kind: 'up', link: 3 }, rename], host)).toEqual(undo([rename], host))
		expect(undo([{ kind: 'up', link: 3 }], host)).toEqual(asSteps([state('down')]))
	})
})

describe('an address that disappeared with the first one of its network', () => {
	const [first, second] = [addressOf('10.0.0.5/24'), addressOf('10.0.0.6/24')]
	test.each<[title: string, addresses: Address[], changes: Change[], undo: Change[]]>([
		[
			'is removed before it is added again, after the first one',
			[first, second],
			[remove(first), add(second)],
			[remove(second), add(first), add(second)],
		],
		['stays if the run removes no address', [first, second], [add(second)], [add(second)]],
		[
			'stays if the run removes an address of another link',
			[first, second],
			[{ ...remove(first), link: 2 } as Change, add(second)],
			[add(second)],
		],
	])('%s', (_, addresses, changes, expected) => {
		expect(undo(changes, hostOf({ addresses }))).toEqual(asSteps(expected))
	})

	test.each<[title: string, changes: Change[]]>([
		['both are removed', [remove(second), remove(first)]],
		['the first is removed, and the second added again', [remove(first), add(second)]],
		['their order is reversed', [remove(first), add(second), add(first)]],
	])('is second again after %s', (_, changes) => {
		const host = hostOf({ addresses: [first, second] })
		const run = asSteps(changes)
		for (const [cut] of [...run, undefined].entries()) {
			const end = afterEvery(afterEvery(host, run.slice(0, cut), false), undoOf(run, host), true)
			expect(comparable(end)).toEqual(comparable(host))
			expect(end.links[1]?.addresses.map(({ cidr }) => cidr)).toEqual(['10.0.0.5/24', '10.0.0.6/24'])
		}
	})
})
