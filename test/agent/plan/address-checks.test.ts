import { describe, expect, test } from 'vitest'
import type { HostState, Link } from '../../../agent/model/host-state.ts'
import type { Route } from '../../../agent/model/route.ts'
import type { Selection } from '../../../agent/model/selection.ts'
import { addressOfTheNode, neededElsewhere, onAnotherLink, wantedTwice } from '../../../agent/plan/address-checks.ts'
import type { PreflightInput } from '../../../agent/plan/preflight-input.ts'
import { settle } from '../../../contract/interface.ts'
import { hostWith } from '../simulated-host.ts'
import { addressWith, linkWith, macOf, nicWith, recordWith, routeTo, selectionWith } from './network-builders.ts'

/** Desired addresses that the node already has or reaches elsewhere. */

const link = linkWith()
const nic = nicWith({ addresses: ['10.0.0.23/24', 'fd00::23/64'] })
const input = (more: Partial<PreflightInput> = {}): PreflightInput => ({
	...{ nic, link, host: hostWith([]), ours: undefined, nodeAddresses: [], interfaces: [nic], own: new Set([3]) },
	...more,
})
const other = (...cidrs: string[]): Link =>
	linkWith({ ifindex: 5, name: 'eth5', mac: macOf(9), addresses: cidrs.map(cidr => addressWith(cidr)) })
const nicOf = (...addresses: string[]) => nicWith({ addresses })

describe('an interface with an address that Kubernetes lists for the node', () => {
	test.each<[title: string, addresses: string[], nodeAddresses: string[], says: string | undefined]>([
		['is refused', ['10.0.0.22/24', '10.0.0.23/24'], ['10.0.0.23'], '10.0.0.23'],
		['is refused if the address has another notation', ['fd00::23/64'], ['FD00:0::23'], 'fd00::23'],
		['is refused if the address ends like a link-local prefix', ['fd00::fe80/64'], ['fd00::fe80'], 'fd00::fe80'],
		['is refused if the address is site-local', ['fec0::23/64'], ['fec0::23'], 'fec0::23'],
		['is accepted if the address is link-local', ['fe80::23/64', 'febf::23/64'], ['fe80::23', 'febf::23'], undefined],
		['is accepted if the node has a neighbouring address', ['10.0.0.23/24'], ['10.0.0.24'], undefined],
	])('%s', (_, addresses, nodeAddresses, ip) => {
		expect(addressOfTheNode.find(input({ nic: nicOf(...addresses), nodeAddresses }))).toEqual(
			ip === undefined
				? undefined
				: { says: `${ip} is requested here, and Kubernetes lists it for this node`, see: `ip addr show to ${ip}` },
		)
	})
})

describe('an interface with an address of another machine or pod', () => {
	const alone = (to: string, more: Partial<Route> = {}) => routeTo(to, { link: 5, ...more })
	const hops = (...links: number[]) => links.map(index => ({ link: index, weight: 1, onlink: false }))
	test.each<[title: string, more: Partial<PreflightInput>, routes: Route[], ip: string | undefined]>([
		['is refused if the node needs the address', { needed: ['10.0.0.23'] }, [], '10.0.0.23'],
		['is refused if the node needs the address, in another notation', { needed: ['api.example.org', 'FD00:0::23'] }, [], 'fd00::23'],
		['is refused if the address is that of the metadata service', { nic: nicOf('169.254.169.254/32') }, [], '169.254.169.254'],
		['is refused if the address has a host route over another link', {}, [alone('10.0.0.23/32')], '10.0.0.23'],
		['is refused if the address has an IPv6 host route over another link', {}, [alone('fd00::23/128')], 'fd00::23'],
		[
			'is refused if the address has a host route over this and another link',
			{},
			[alone('10.0.0.23/32', { nextHops: hops(3, 5) })],
			'10.0.0.23',
		],
		['is accepted if the address has a host route over this link', {}, [alone('10.0.0.23/32', { link: 3 })], undefined],
		['is accepted if only networks of the address have a route', {}, [alone('10.0.0.0/24'), alone('10.0.0.23/31')], undefined],
		['is accepted if the host route is in another table', {}, [alone('10.0.0.23/32', { table: 77 })], undefined],
		['is accepted if the host route rejects packets', {}, [alone('10.0.0.23/32', { type: 7 })], undefined],
		['is accepted if the host route has no link', {}, [routeTo('10.0.0.23/32')], undefined],
		[
			'is accepted if only neighbouring addresses are needed or have a host route',
			{ needed: ['10.0.0.24'] },
			[alone('10.0.0.22/32')],
			undefined,
		],
	])('%s', (_, more, routes, ip) => {
		expect(neededElsewhere.find(input({ host: { ...hostWith([]), routes }, ...more }))).toEqual(
			ip === undefined
				? undefined
				: { says: `${ip} is requested here, and this node reaches another machine or pod at it`, see: `ip route get ${ip}` },
		)
	})

	test.each(['10.0.0.23/24', '10.0.0.23/32'])('is accepted if a link of the node has the address: %s', cidr => {
		const host = { ...hostWith([]), links: [link, other('10.0.0.22/24', cidr)], routes: [alone('10.0.0.23/32')] }
		expect(neededElsewhere.find(input({ host, needed: ['10.0.0.23'] }))).toBeUndefined()
	})

	test('is refused because of its first address that no link of the node has', () => {
		const host = { ...hostWith([]), links: [other('10.0.0.23/24')] }
		expect(neededElsewhere.find(input({ host, needed: ['10.0.0.23', 'fd00::23'] }))?.says).toMatch(/^fd00::23 is requested here/)
	})
})

describe('of two interfaces with the same address, the one with the larger id is refused', () => {
	const interfaces = (...all: [id: number, ...cidrs: string[]][]) =>
		settle(all.map(([id, ...addresses]) => ({ id, macAddress: macOf(id), addresses })))
	test.each<[title: string, all: [id: number, ...cidrs: string[]][], id: number, says: string | undefined]>([
		[
			'and the message names the other',
			[
				[1, '10.0.0.22/24', '10.0.0.23/24'],
				[2, '10.0.0.23/32'],
			],
			2,
			'10.0.0.23 is also requested on multinic1',
		],
		[
			'regardless of the order of the list',
			[
				[2, '10.0.0.23/32'],
				[1, '10.0.0.23/24'],
			],
			2,
			'10.0.0.23 is also requested on multinic1',
		],
		[
			'and the one with the smaller id is accepted',
			[
				[1, '10.0.0.23/24'],
				[2, '10.0.0.23/32'],
			],
			1,
			undefined,
		],
		[
			'unless the addresses differ',
			[
				[1, '10.0.0.22/24'],
				[2, '10.0.0.23/24'],
			],
			2,
			undefined,
		],
		[
			'unless the address is link-local',
			[
				[1, 'fe80::1/64'],
				[2, 'fe80::1/64'],
			],
			2,
			undefined,
		],
		[
			'and the message names the first of several interfaces',
			[
				[0, '10.0.0.9/24'],
				[1, '10.0.0.22/24'],
				[2, '10.0.0.23/24'],
				[3, '10.0.0.23/24', '10.0.0.22/24'],
			],
			3,
			'10.0.0.22 is also requested on multinic1',
		],
	])('%s', (_, all, id, says) => {
		const known = interfaces(...all)
		const wish = known.find(one => one.id === id) ?? nic
		const see = 'kubectl get multinicnodeconfigs -o yaml'
		expect(wantedTwice.find(input({ nic: wish, interfaces: known }))).toEqual(says === undefined ? undefined : { says, see })
	})
})

describe('an interface whose address is on a link', () => {
	const accepted = { nic, link, ours: undefined }
	const held = other('10.0.0.23/24')
	const second = (cidr: string, ours = recordWith({ id: 1, mac: macOf(1), addresses: ['10.0.0.23/24'] })) => ({
		nic: nicOf(cidr),
		link: held,
		ours,
	})
	const found = (links: Link[], more: Partial<Selection> = {}, about: Partial<HostState> = {}) =>
		onAnotherLink.find({
			accepted,
			selection: selectionWith({ accepted: [accepted], ...more }),
			host: { ...hostWith([]), links, ...about },
		})
	const refusal = (name: string, ip = '10.0.0.23') => ({
		says: `${ip} is requested on multinic0, but ${name} has it`,
		see: `ip addr show to ${ip}`,
	})

	test.each<[title: string, links: Link[], more: Partial<Selection>, says: ReturnType<typeof refusal> | undefined]>([
		['is refused if MultiNIC does not manage that link', [link, other('10.0.0.22/24', '10.0.0.23/16')], {}, refusal('eth5')],
		['is refused because of an IPv6 address', [link, other('fd00::23/128')], {}, refusal('eth5', 'fd00::23')],
		['is accepted if the link is its own', [{ ...link, addresses: [addressWith('10.0.0.23/24')] }], {}, undefined],
		['is accepted if no link has the address', [link, other('10.0.0.22/24')], {}, undefined],
		[
			'is accepted if the run removes the address from that of another interface',
			[link, held],
			{ accepted: [accepted, second('10.0.1.1/24')] },
			undefined,
		],
		[
			'is refused if the run leaves the address on that of another interface',
			[link, held],
			{ accepted: [accepted, second('10.0.0.23/24')] },
			refusal('eth5'),
		],
		[
			'is refused if another program has added the address to that of another interface',
			[link, held],
			{ accepted: [accepted, second('10.0.1.1/24', recordWith({ id: 1, mac: macOf(1) }))] },
			refusal('eth5'),
		],
		[
			'is accepted if the run removes the address when it releases that link',
			[link, other('10.0.0.23/24')],
			{ released: [{ ours: recordWith({ id: 1, mac: macOf(9), addresses: ['10.0.0.23/24'] }), link: other('10.0.0.23/24') }] },
			undefined,
		],
		[
			'is refused if the run releases a different link',
			[link, other('10.0.0.23/24')],
			{ released: [{ ours: recordWith({ id: 1, addresses: ['10.0.0.23/24'] }), link: { ...other('10.0.0.23/24'), ifindex: 6 } }] },
			refusal('eth5'),
		],
		[
			'is refused if the link that the run releases no longer exists',
			[link, other('10.0.0.23/24')],
			{ released: [{ ours: recordWith({ id: 1, addresses: ['10.0.0.23/24'] }), link: undefined }] },
			refusal('eth5'),
		],
	])('%s', (_, links, more, says) => {
		expect(found(links, more)).toEqual(says)
	})

	test('is refused if the run removes only another address from that link', () => {
		const both = other('10.0.0.22/24', '10.0.0.23/24')
		const ours = recordWith({ id: 1, mac: macOf(1), addresses: ['10.0.0.22/24'] })
		expect(found([link, both], { accepted: [accepted, { nic: nicOf('10.0.1.1/24'), link: both, ours }] })).toEqual(refusal('eth5'))
	})

	test('is refused with the name of the first link that has the address', () => {
		const eth6 = { ...other('10.0.0.23/24'), ifindex: 6, name: 'eth6' }
		expect(found([link, eth6, other('10.0.0.23/24')])).toEqual(refusal('eth6'))
	})
})
