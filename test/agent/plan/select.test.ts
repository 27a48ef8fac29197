import { describe, expect, test } from 'vitest'
import type { Refusal } from '../../../agent/model/check.ts'
import type { HostState, Link } from '../../../agent/model/host-state.ts'
import { type RecordedLink, recordFile } from '../../../agent/model/record.ts'
import { RECORD_PATH } from '../../../agent/model/paths.ts'
import type { Route } from '../../../agent/model/route.ts'
import { select } from '../../../agent/plan/select.ts'
import type { Wanted } from '../../../agent/plan/wanted.ts'
import { hostWith } from '../simulated-host.ts'
import { addressWith, linkWith, macOf, nicWith, recordWith, routeTo } from './network-builders.ts'

/** Which link an interface gets, and which links a run releases or keeps. */

const nic = (id: number, ...addresses: string[]) => nicWith({ id, macAddress: macOf(id), addresses })
/** The link of interface `id`, with index 3 + id. */
const linkOf = (id: number, more: Partial<Link> = {}) => linkWith({ ifindex: 3 + id, name: `ens${7 + id}`, mac: macOf(id), ...more })
const recordOf = (id: number, more: Partial<RecordedLink> = {}) => recordWith({ id, mac: macOf(id), name: `multinic${id}`, ...more })
function hostOf(
	links: Link[],
	{ records = [], routes = [], ...more }: { records?: RecordedLink[]; routes?: Route[] } & Partial<HostState> = {},
): HostState {
	const file = recordFile({ version: 1, links: records })
	return { ...hostWith([]), links, routes, files: file ? { [RECORD_PATH]: file } : {}, ...more }
}
function selected(interfaces: Wanted['interfaces'], host: HostState, more: Partial<Wanted> = {}) {
	const found = select({ interfaces, nodeAddresses: [], kinds: new Set(['hardware']), failed: new Map(), ...more }, host)
	return {
		accepted: found.accepted.map(one => one.nic.id),
		refused: Object.fromEntries(found.refused.map(one => [one.nic.id, one.refusal.reason])),
		released: found.released.map(({ ours }) => ours.id),
		kept: Object.fromEntries(found.kept.map(({ ours, refusal }) => [ours.id, refusal.reason])),
	}
}
const none = { accepted: [], refused: {}, released: [], kept: {} }
const failure: Refusal = { reason: 'CommandFailed', message: 'a command failed (ip link)' }

describe('an interface without a link', () => {
	const device = { path: '/sys/devices/pci0/virtio0', driver: 'virtio_net' }
	const away = { inOtherNamespace: [macOf(0)] }
	test.each<[title: string, host: HostState, reason: Refusal['reason']]>([
		['waits for the link', hostOf([]), 'WaitingForDevice'],
		['that MultiNIC managed waits for the link', hostOf([], { records: [recordOf(0, { device })] }), 'WaitingForDevice'],
		[
			'that MultiNIC managed is in another network namespace',
			hostOf([], { records: [recordOf(0, { device })], ...away }),
			'InOtherNamespace',
		],
		['that is in another network namespace, but not in the record, waits for the link', hostOf([], away), 'WaitingForDevice'],
		[
			'is ambiguous if two links have its MAC, even if MultiNIC managed it',
			hostOf([linkOf(0), linkOf(0, { ifindex: 9 })], { records: [recordOf(0, { device })], ...away }),
			'Ambiguous',
		],
	])('%s', (_, host, reason) => {
		expect(selected([nic(0)], host)).toEqual({ ...none, refused: { 0: reason } })
	})
})

describe('an interface with a link', () => {
	test.each<[title: string, link: Partial<Link>, failed: Wanted['failed'], found: Partial<ReturnType<typeof selected>>]>([
		['gets the link', {}, new Map(), { accepted: [0] }],
		['that failed does not get the link', {}, new Map([[0, failure]]), { refused: { 0: failure.reason } }],
		['gets the link regardless of the failure of another interface', {}, new Map([[1, failure]]), { accepted: [0] }],
		[
			'that another link uses is refused for that reason, even if it failed',
			{ master: 'br0' },
			new Map([[0, failure]]),
			{ refused: { 0: 'InUse' } },
		],
	])('%s', (_, link, failed, found) => {
		expect(selected([nic(0)], hostOf([linkOf(0, link)]), { failed })).toEqual({ ...none, ...found })
	})

	test('through which its packets would not leave is refused, even if another interface failed', () => {
		const host = hostOf([linkOf(0, { up: true, carrier: false, ignored: [4] }), linkOf(1), linkOf(2)])
		const found = selected([nic(0, '10.0.0.23/24'), nic(1, '10.1.0.23/24'), nic(2, '10.2.0.23/24')], host, {
			failed: new Map([[1, failure]]),
		})
		expect(found).toEqual({ ...none, accepted: [2], refused: { 0: 'RoutedElsewhere', 1: failure.reason } })
	})
})

describe('the record of an interface that is no longer desired', () => {
	const foreign = linkOf(1, { name: 'multinic1', addresses: [addressWith('172.16.0.1/24')] })
	const removal: Refusal = { reason: 'NotAllowed', message: 'it stays (ip link)' }
	test.each<[title: string, links: Link[], more: Partial<Wanted>, found: Partial<ReturnType<typeof selected>>]>([
		['is released', [linkOf(0), linkOf(1, { name: 'multinic1' })], {}, { released: [1, 2] }],
		['is released without its link', [linkOf(0)], {}, { released: [1, 2] }],
		['is kept if its removal is refused', [linkOf(0), foreign], {}, { released: [2], kept: { 1: 'InUse' } }],
		[
			'is kept if an earlier attempt failed to remove it',
			[linkOf(0), foreign],
			{ kept: new Map([[macOf(1), removal]]) },
			{ released: [2], kept: { 1: 'NotAllowed' } },
		],
	])('%s', (_, links, more, found) => {
		expect(selected([nic(0)], hostOf(links, { records: [0, 1, 2].map(id => recordOf(id)) }), more)).toEqual({
			...none,
			accepted: [0],
			...found,
		})
	})

	test('is released with the link that has its permanent MAC', () => {
		const host = hostOf([linkOf(0), linkOf(1, { mac: macOf(9), permanentMac: macOf(1) }), linkOf(2, { permanentMac: macOf(8) })], {
			records: [1, 2].map(id => recordOf(id)),
		})
		const { released } = select({ interfaces: [nic(0)], nodeAddresses: [], kinds: new Set(['hardware']), failed: new Map() }, host)
		expect(released.map(({ link }) => link?.ifindex)).toEqual([4, undefined])
	})
})

describe('a host route to a desired address is a reason to refuse the interface', () => {
	const wish = nic(0, '10.0.0.23/24')
	const route = routeTo('10.0.0.23/32', { link: 4 })
	const inUse = linkOf(2, { master: 'br0' })
	const records = [recordOf(1)]
	test.each<[title: string, interfaces: Wanted['interfaces'], host: HostState, isRefused: boolean]>([
		['over a link that MultiNIC does not manage', [wish], hostOf([linkOf(0), linkOf(1)], { routes: [route] }), true],
		[
			'over the link of an interface that another link uses',
			[wish, nic(1)],
			hostOf([linkOf(0), linkOf(1, { master: 'br0' })], { routes: [route] }),
			true,
		],
		['except over the link of another interface', [wish, nic(1)], hostOf([linkOf(0), linkOf(1)], { routes: [route] }), false],
		[
			'except over the link of another interface, even if another link uses a third one',
			[wish, nic(1), nic(2)],
			hostOf([linkOf(0), linkOf(1), inUse], { routes: [route] }),
			false,
		],
		[
			'except over the link of another interface whose address has a host route over this link',
			[wish, nic(1, '10.0.0.24/24')],
			hostOf([linkOf(0), linkOf(1)], { routes: [route, routeTo('10.0.0.24/32', { link: 3 })] }),
			false,
		],
		['except over a link that is released', [wish], hostOf([linkOf(0), linkOf(1)], { routes: [route], records }), false],
		[
			'except over a link that is released, even if another link uses a third one',
			[wish, nic(2)],
			hostOf([linkOf(0), linkOf(1), inUse], { routes: [route], records }),
			false,
		],
	])('%s', (_, interfaces, host, isRefused) => {
		expect(selected(interfaces, host).refused[0]).toBe(isRefused ? 'InUse' : undefined)
	})
})
