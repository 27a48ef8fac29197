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

describe('an interface may not have an address by which Kubernetes knows the node', () => {
	test.each<[title: string, addresses: string[], nodeAddresses: string[], says: string | undefined]>([
		['of IPv4', ['10.0.0.22/24', '10.0.0.23/24'], ['10.0.0.23'], '10.0.0.23'],
		['in another notation', ['fd00::23/64'], ['FD00:0::23'], 'fd00::23'],
		['with the digits of a link-local one at its end', ['fd00::fe80/64'], ['fd00::fe80'], 'fd00::fe80'],
		['that is site-local', ['fec0::23/64'], ['fec0::23'], 'fec0::23'],
		['except a link-local one', ['fe80::23/64', 'febf::23/64'], ['fe80::23', 'febf::23'], undefined],
		['but one beside it', ['10.0.0.23/24'], ['10.0.0.24'], undefined],
	])('%s', (_, addresses, nodeAddresses, ip) => {
		expect(addressOfTheNode.find(input({ nic: nicOf(...addresses), nodeAddresses }))).toEqual(
			ip === undefined ? undefined : { says: `${ip} is wanted here, and Kubernetes knows this node by it`, see: `ip addr show to ${ip}` },
		)
	})
})

describe('an interface may not have an address of another machine or pod', () => {
	const alone = (to: string, more: Partial<Route> = {}) => routeTo(to, { link: 5, ...more })
	const hops = (...links: number[]) => links.map(index => ({ link: index, weight: 1, onlink: false }))
	test.each<[title: string, more: Partial<PreflightInput>, routes: Route[], ip: string | undefined]>([
		['that the node needs', { needed: ['10.0.0.23'] }, [], '10.0.0.23'],
		['that the node needs, in another notation', { needed: ['api.example.org', 'FD00:0::23'] }, [], 'fd00::23'],
		['that serves metadata', { nic: nicOf('169.254.169.254/32') }, [], '169.254.169.254'],
		['that has a host route over another link', {}, [alone('10.0.0.23/32')], '10.0.0.23'],
		['that has a host route of IPv6 over another link', {}, [alone('fd00::23/128')], 'fd00::23'],
		['that has a host route over this and another link', {}, [alone('10.0.0.23/32', { nextHops: hops(3, 5) })], '10.0.0.23'],
		['but one with a host route over this link', {}, [alone('10.0.0.23/32', { link: 3 })], undefined],
		['but one in a network that has a route', {}, [alone('10.0.0.0/24'), alone('10.0.0.23/31')], undefined],
		['but one with a host route of another table', {}, [alone('10.0.0.23/32', { table: 77 })], undefined],
		['but one with a host route that rejects packets', {}, [alone('10.0.0.23/32', { type: 7 })], undefined],
		['but one with a host route without a link', {}, [routeTo('10.0.0.23/32')], undefined],
		['but one beside it', { needed: ['10.0.0.24'] }, [alone('10.0.0.22/32')], undefined],
	])('%s', (_, more, routes, ip) => {
		expect(neededElsewhere.find(input({ host: { ...hostWith([]), routes }, ...more }))).toEqual(
			ip === undefined
				? undefined
				: { says: `${ip} is wanted here, and this node reaches another machine or pod by it`, see: `ip route get ${ip}` },
		)
	})

	test.each(['10.0.0.23/24', '10.0.0.23/32'])('but one that a link of the node has: %s', cidr => {
		const host = { ...hostWith([]), links: [link, other('10.0.0.22/24', cidr)], routes: [alone('10.0.0.23/32')] }
		expect(neededElsewhere.find(input({ host, needed: ['10.0.0.23'] }))).toBeUndefined()
	})

	test('but the first of several that no link of the node has', () => {
		const host = { ...hostWith([]), links: [other('10.0.0.23/24')] }
		expect(neededElsewhere.find(input({ host, needed: ['10.0.0.23', 'fd00::23'] }))?.says).toMatch(/^fd00::23 is wanted here/)
	})
})

describe('of two interfaces with the same address, the one with the larger id is refused', () => {
	const interfaces = (...all: [id: number, ...cidrs: string[]][]) =>
		settle(all.map(([id, ...addresses]) => ({ id, macAddress: macOf(id), addresses })))
	test.each<[title: string, all: [id: number, ...cidrs: string[]][], id: number, says: string | undefined]>([
		[
			'with the name of the other',
			[
				[1, '10.0.0.22/24', '10.0.0.23/24'],
				[2, '10.0.0.23/32'],
			],
			2,
			'10.0.0.23 is wanted on multinic1 as well',
		],
		[
			'wherever it is in the list',
			[
				[2, '10.0.0.23/32'],
				[1, '10.0.0.23/24'],
			],
			2,
			'10.0.0.23 is wanted on multinic1 as well',
		],
		[
			'and the other is not',
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
			'unless it is link-local',
			[
				[1, 'fe80::1/64'],
				[2, 'fe80::1/64'],
			],
			2,
			undefined,
		],
		[
			'with the first of several',
			[
				[0, '10.0.0.9/24'],
				[1, '10.0.0.22/24'],
				[2, '10.0.0.23/24'],
				[3, '10.0.0.23/24', '10.0.0.22/24'],
			],
			3,
			'10.0.0.22 is wanted on multinic1 as well',
		],
	])('%s', (_, all, id, says) => {
		const known = interfaces(...all)
		const wish = known.find(one => one.id === id) ?? nic
		const see = 'kubectl get multinicnodeconfigs -o yaml'
		expect(wantedTwice.find(input({ nic: wish, interfaces: known }))).toEqual(says === undefined ? undefined : { says, see })
	})
})

describe('an interface may not have an address that another link keeps', () => {
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
		says: `${ip} is wanted on multinic0, and ${name} has it`,
		see: `ip addr show to ${ip}`,
	})

	test.each<[title: string, links: Link[], more: Partial<Selection>, says: ReturnType<typeof refusal> | undefined]>([
		['and that nobody manages', [link, other('10.0.0.22/24', '10.0.0.23/16')], {}, refusal('eth5')],
		['of IPv6', [link, other('fd00::23/128')], {}, refusal('eth5', 'fd00::23')],
		['but one that its own link has', [{ ...link, addresses: [addressWith('10.0.0.23/24')] }], {}, undefined],
		['but one that no link has', [link, other('10.0.0.22/24')], {}, undefined],
		['but one that the run removes from another interface', [link, held], { accepted: [accepted, second('10.0.1.1/24')] }, undefined],
		['and that the run leaves on another interface', [link, held], { accepted: [accepted, second('10.0.0.23/24')] }, refusal('eth5')],
		[
			'and that another program has added to another interface',
			[link, held],
			{ accepted: [accepted, second('10.0.1.1/24', recordWith({ id: 1, mac: macOf(1) }))] },
			refusal('eth5'),
		],
		[
			'but one that the run removes from a released link',
			[link, other('10.0.0.23/24')],
			{ released: [{ ours: recordWith({ id: 1, mac: macOf(9), addresses: ['10.0.0.23/24'] }), link: other('10.0.0.23/24') }] },
			undefined,
		],
		[
			'and that is not of the released link',
			[link, other('10.0.0.23/24')],
			{ released: [{ ours: recordWith({ id: 1, addresses: ['10.0.0.23/24'] }), link: { ...other('10.0.0.23/24'), ifindex: 6 } }] },
			refusal('eth5'),
		],
		[
			'and that is not of a released link which is gone',
			[link, other('10.0.0.23/24')],
			{ released: [{ ours: recordWith({ id: 1, addresses: ['10.0.0.23/24'] }), link: undefined }] },
			refusal('eth5'),
		],
	])('%s', (_, links, more, says) => {
		expect(found(links, more)).toEqual(says)
	})

	test('and that stays on a link from which the run removes another one', () => {
		const both = other('10.0.0.22/24', '10.0.0.23/24')
		const ours = recordWith({ id: 1, mac: macOf(1), addresses: ['10.0.0.22/24'] })
		expect(found([link, both], { accepted: [accepted, { nic: nicOf('10.0.1.1/24'), link: both, ours }] })).toEqual(refusal('eth5'))
	})

	test('and the refusal names the first link that has it', () => {
		const eth6 = { ...other('10.0.0.23/24'), ifindex: 6, name: 'eth6' }
		expect(found([link, eth6, other('10.0.0.23/24')])).toEqual(refusal('eth6'))
	})
})
