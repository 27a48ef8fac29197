import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Daemon, HostState, Link } from '../../agent/model/host-state.ts'
import { type Route, routeKey } from '../../agent/model/route.ts'
import { plan } from '../../agent/plan/plan.ts'
import type { Wanted } from '../../agent/plan/wanted.ts'
import { Interfaces, settle } from '../../contract/interface.ts'
import { contains } from '../../contract/ip.ts'
import { after, afterEvery, comparable, hostWith, kindOf } from './simulated-host.ts'

const mac = (n: number) => `fa:16:3e:00:00:${n.toString(16).padStart(2, '0')}`
const ids = fc.uniqueArray(fc.nat({ max: 9 }), { minLength: 0, maxLength: 6 })

const chosen = {
	mtu: fc.option(fc.constantFrom(1400, 9000), { nil: undefined }),
	six: fc.boolean(),
	second: fc.boolean(),
	policyRouting: fc.boolean(),
	gateway: fc.boolean(),
	aside: fc.boolean(),
	bare: fc.boolean(),
	last: fc.constantFrom(23, 24),
	alone: fc.boolean(),
}
type Chosen = { [key in keyof typeof chosen]: (typeof chosen)[key] extends fc.Arbitrary<infer T> ? T : never }

/** If the address is a /32, the next hops are outside the networks of the NIC. */
function addressed(id: number, { six, second, policyRouting, gateway, aside, last, alone }: Chosen) {
	return {
		address: `10.0.${id}.${last}`,
		cidr: alone ? `10.0.${id}.${last}/32` : `10.0.${id}.0/24`,
		policyRouting,
		...(gateway && { gateway: `10.0.${id}.1` }),
		...(aside && { routes: [{ to: '10.9.0.0/16', via: `10.0.${id}.7`, table: 254 }] }),
		addresses: [...(six ? [`fd00:${id}::23/64`] : []), ...(second ? [`10.0.${id}.24/24`] : [])],
	}
}

/** Desired configs for some of eight MACs, most of which the host has: arbitrary ids, addresses, families, tables and defaults. */
const wish = fc
	.tuple(ids, fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7], { minLength: 6, maxLength: 8 }), fc.infiniteStream(fc.record(chosen)))
	.map(([list, macs, stream]) =>
		list.map((id, at) => {
			const more = stream.next().value as Chosen
			const base = { id, macAddress: mac(macs[at] ?? 0), ...(more.mtu && { mtu: more.mtu }) }
			return more.bare ? base : { ...base, ...addressed(id, more) }
		}),
	)
	.map(nics => wanted(nics))

/** Hosts whose links may already have any MultiNIC name, be up, or have a lease. */
const host = fc
	.record({
		names: fc.shuffledSubarray(['ens1', 'ens2', 'ens3', 'ens4', 'multinic0', 'multinic1', 'multinic2', 'multinic9'], {
			minLength: 6,
			maxLength: 8,
		}),
		up: fc.infiniteStream(fc.boolean()),
		lease: fc.infiniteStream(fc.boolean()),
		liveRename: fc.boolean(),
		networkd: fc.boolean(),
		networkmanager: fc.boolean(),
		held: fc.infiniteStream(fc.constantFrom('NetworkManager' as const, 'systemd-networkd' as const, undefined)),
	})
	.map(({ names, up, lease, held, ...more }) =>
		hostWith(
			names.map((name, n) => ({
				ifindex: n + 2,
				name,
				mac: mac(n),
				up: up.next().value ?? false,
				sysctls: { 'ipv4/rp_filter': '1', 'ipv6/accept_ra': '1' },
				...heldBy(held.next().value, more),
				addresses: lease.next().value ? [{ family: 4, cidr: `172.16.${n}.9/24`, global: true, dynamic: true }] : [],
			})),
			more,
		),
	)

function heldBy(managedBy: Daemon | undefined, { networkd, networkmanager }: { networkd: boolean; networkmanager: boolean }) {
	const runs = managedBy === 'NetworkManager' ? networkmanager : networkd
	return managedBy && runs ? { managedBy } : {}
}

describe('a plan', () => {
	test('is empty after a plan for the same config was applied', () => {
		fc.assert(
			fc.property(wish, host, (want, start) => {
				const end = carriedOut(want, start)
				expect(plan(want, end, {}).steps).toEqual([])
			}),
		)
	})

	test('can be undone after any number of its steps', () => {
		fc.assert(
			fc.property(wish, host, fc.nat(), (want, start, cut) => {
				const { steps, undo } = plan(want, start, {})
				const some = steps.slice(0, cut % (steps.length + 1))
				const end = afterEvery(afterEvery(start, some, false), undo, true)
				expect(comparable(end)).toEqual(comparable(start))
			}),
		)
	})

	test('from one config to another has the desired result and can be undone', () => {
		fc.assert(
			fc.property(wish, wish, host, fc.nat(), (first, second, start, cut) => {
				const middle = carriedOut(first, start)
				expect(plan(second, carriedOut(second, middle), {}).steps).toEqual([])
				const { steps, undo } = plan(second, middle, {})
				const some = steps.slice(0, cut % (steps.length + 1))
				expect(comparable(afterEvery(afterEvery(middle, some, false), undo, true))).toEqual(comparable(middle))
			}),
		)
	})

	test('that changes the address of every interface, in the same network or to a /32, has the desired result and can be undone', () => {
		fc.assert(
			fc.property(
				wish,
				host,
				fc.nat(),
				fc.tuple(fc.constantFrom('0/24', '99/32'), fc.boolean()),
				(first, start, cut, [network, isTouched]) => {
					const other = (id: number) => ({ address: `10.0.${id}.99`, cidr: `10.0.${id}.${network}` })
					const second = { ...first, interfaces: first.interfaces.map(one => ({ ...one, ...(one.address && other(one.id)) })) }
					const middle = isTouched ? touched(carriedOut(first, start)) : carriedOut(first, start)
					expect(plan(second, carriedOut(second, middle), {}).steps).toEqual([])
					const { steps, undo } = plan(second, middle, {})
					const some = steps.slice(0, cut % (steps.length + 1))
					expect(comparable(afterEvery(afterEvery(middle, some, false), undo, true))).toEqual(comparable(middle))
				},
			),
		)
	})

	test('keeps the addresses and routes of a refused interface, even if another link gets the name of its link', () => {
		fc.assert(
			fc.property(wish, wish, host, (first, second, start) => {
				const middle = carriedOut(first, start)
				const { refused } = plan(second, middle, {})
				const links = new Set(refused.flatMap(({ link }) => link?.ifindex ?? []))
				expect(networkOfLinks(links, carriedOut(second, middle))).toEqual(networkOfLinks(links, middle))
			}),
		)
	})

	// Each is a minimized case of a seed: -665844502 (the route has no next hop), -1230392099 (a rollback loses the address).
	test.each([true, false])(
		'keeps the addresses and routes of a refused link that systemd-networkd manages and that must be renamed (while up: %s)',
		liveRename => {
			const routes = [{ to: '10.9.0.0/16', via: '10.0.0.7', table: 254 }]
			const first = wanted([{ ...nic(0), addresses: ['fd00::23/64'], routes, policyRouting: false }])
			const links = [0, 1].map(n => ({ ifindex: n + 2, name: `ens${n}`, mac: mac(n) }))
			const before = carriedOut(first, hostWith(links, { networkd: true, liveRename }))
			const middle = { ...before, links: before.links.map(link => ({ ...link, managedBy: 'systemd-networkd' as const })) }
			const taken = { reason: 'InUse' as const, message: 'for this test' }
			const second = {
				...wanted([
					{ ...nic(1), id: 0, macAddress: mac(1) },
					{ ...nic(2), macAddress: mac(0) },
				]),
				failed: new Map([[2, taken]]),
			}
			const { steps, undo } = plan(second, middle, {})
			expect(networkOfLinks(new Set([2]), afterEvery(middle, steps, false))).toEqual(networkOfLinks(new Set([2]), middle))
			for (const [cut] of [...steps, undefined].entries())
				expect(comparable(afterEvery(afterEvery(middle, steps.slice(0, cut), false), undo, true))).toEqual(comparable(middle))
		},
	)

	test('without interfaces restores everything except leases, after any earlier configs', () => {
		fc.assert(
			fc.property(wish, wish, host, (first, second, start) => {
				const end = carriedOut(wanted([]), carriedOut(second, carriedOut(first, start)))
				expect(comparable(withoutLeases(end))).toEqual(comparable(withoutLeases(start)))
			}),
		)
	})

	test('takes over a NIC with a lease and removes the lease', () => {
		const leased = {
			ifindex: 2,
			name: 'ens7',
			mac: mac(0),
			up: true,
			addresses: [{ family: 4 as const, cidr: '172.16.0.9/24', global: true, dynamic: true }],
		}
		const kinds = plan(wanted([nic(0)]), hostWith([leased]), {}).steps.map(kindOf)
		expect(kinds).toContain('removeAddress')
	})

	test('removes a previous address that a daemon added again', () => {
		const first = carriedOut(wanted([nic(0)]), hostWith([{ ifindex: 3, name: 'ens7', mac: mac(0) }]))
		const second = wanted([{ ...nic(0), address: '10.0.0.99' }])
		const [link] = carriedOut(second, first).links
		const back = {
			...carriedOut(second, first),
			links: link ? [{ ...link, addresses: [...link.addresses, ...(first.links[0]?.addresses ?? [])] }] : [],
		}
		const { steps, refused } = plan(second, back, {})
		expect(refused).toEqual([])
		expect(steps[0]?.change).toMatchObject({ kind: 'removeAddress', address: { cidr: '10.0.0.23/24' } })
		expect(afterEvery(back, steps, false).links).toEqual(carriedOut(second, first).links)
	})

	test('sets a link down to rename it if the kernel requires this, and adds the address again that the kernel removes', () => {
		const six = { family: 6 as const, cidr: 'fd00::9/64', global: true, dynamic: false }
		const start = hostWith([{ ifindex: 2, name: 'ens7', mac: mac(0), up: true, addresses: [six] }], { liveRename: false })
		const kinds = plan(wanted([{ ...nic(0), addresses: ['fd00::9/64'] }]), start, {}).steps.map(kindOf)
		expect(kinds.slice(0, 5)).toEqual(['down', 'rename', 'up', 'checkDuplicates', 'addAddress'])
	})

	test.each([
		[
			'an MTU and settings that the next config does not have',
			(link: Link) => link,
			{ mtu: 1500, sysctls: { 'ipv4/arp_ignore': '0', 'ipv6/accept_ra': '0' } },
		],
		[
			'neither an MTU nor a setting that another program has changed',
			(link: Link) => ({ ...link, mtu: 1300, sysctls: { ...link.sysctls, 'ipv4/arp_ignore': '8' } }),
			{ mtu: 1300, sysctls: { 'ipv4/arp_ignore': '8', 'ipv6/accept_ra': '0' } },
		],
	] as const)('restores %s', (_, since, expected) => {
		const start = hostWith([{ ifindex: 2, name: 'ens7', mac: mac(0), sysctls: { 'ipv4/arp_ignore': '0', 'ipv6/accept_ra': '1' } }])
		const first = carriedOut(wanted([{ ...nic(0), mtu: 1400 }]), start)
		expect(first.links).toMatchObject([{ mtu: 1400, sysctls: { 'ipv4/arp_ignore': '1', 'ipv6/accept_ra': '0' } }])
		const second = wanted([{ ...nic(0), policyRouting: false }])
		const end = carriedOut(second, { ...first, links: first.links.map(since) })
		expect(end.links).toMatchObject([expected])
		expect(plan(second, end, {}).steps).toEqual([])
	})

	test.each([
		['the same addresses in a different order', ['10.0.0.23/24', '10.0.0.24/24'], ['10.0.0.24/24', '10.0.0.23/24']],
		['a new address before one in the same network', ['10.0.0.24/24', '10.1.0.1/24'], ['10.0.0.23/24', '10.0.0.24/24', '10.1.0.1/24']],
		['a new address after one in the same network', ['10.0.0.23/24'], ['10.0.0.23/24', '10.0.0.24/24']],
	])('with %s adds the addresses of a network in the order of the config, and its undo restores the former order', (_, had, asked) => {
		const wish = (addresses: string[]) => wanted([{ id: 0, macAddress: mac(0), addresses }])
		const of = ({ links }: HostState) => links.flatMap(({ addresses }) => addresses.map(({ cidr }) => cidr))
		const first = carriedOut(wish(had), hostWith([{ ifindex: 2, name: 'ens7', mac: mac(0) }]))
		const end = carriedOut(wish(asked), first)
		const inNetwork = (list: string[]) => list.filter(cidr => cidr.startsWith('10.0.'))
		expect(inNetwork(of(end))).toEqual(inNetwork(asked))
		expect(inNetwork(of(afterEvery(end, plan(wish(asked), first, {}).undo, true)))).toEqual(inNetwork(had))
	})

	const bare = hostWith([{ ifindex: 2, name: 'ens7', mac: mac(0) }], { udev: true })
	const ours = carriedOut(wanted([nic(0)]), bare)
	test.each<[where: string, wishes: readonly unknown[], start: HostState, isSo: boolean]>([
		['reloads udev immediately if a udev rule is added', [nic(0)], bare, true],
		['reloads udev immediately if a udev rule is removed', [], ours, true],
		['does not reload udev if only an address changes', [{ ...nic(0), address: '10.0.0.24' }], ours, false],
		['does not reload udev if the host has none', [], { ...ours, udev: false }, false],
	])('%s; the same applies to its undo', (_, wishes, start, isSo) => {
		const { steps, undo } = plan(wanted(wishes), start, {})
		expect([steps, undo].map(all => all.some(step => kindOf(step) === 'reloadUdev'))).toEqual([isSo, isSo])
	})

	test('waits until networkd has detected the temporary names of a swap, and then the final names', () => {
		const links = [0, 1].map(n => ({ ifindex: n + 2, name: `multinic${1 - n}`, mac: mac(n) }))
		const { steps } = plan(wanted([nic(0), nic(1)]), hostWith(links, { networkd: true }), {})
		expect(steps.filter(step => ['rename', 'waitForNames'].includes(kindOf(step)))).toEqual([
			{ id: 0, change: { kind: 'rename', link: 2, to: 'mntmp2' } },
			{ id: 1, change: { kind: 'rename', link: 3, to: 'mntmp3' } },
			{ action: { kind: 'waitForNames', names: ['mntmp2', 'mntmp3'] } },
			{ id: 0, change: { kind: 'rename', link: 2, to: 'multinic0' } },
			{ id: 1, change: { kind: 'rename', link: 3, to: 'multinic1' } },
			{ action: { kind: 'waitForNames', names: ['multinic0', 'multinic1'] } },
		])
	})
})

function nic(id: number) {
	return { id, macAddress: mac(id), address: `10.0.${id}.23`, cidr: `10.0.${id}.0/24` }
}

function wanted(nics: readonly unknown[]): Wanted {
	return { interfaces: settle(Interfaces.parse(nics)), nodeAddresses: [], kinds: new Set(['hardware']), failed: new Map() }
}

/** Mimics another program that renames the managed links and adds a route over each. */
function touched(state: HostState): HostState {
	const ours = state.links.filter(({ up, addresses }) => up && addresses.some(({ cidr }) => cidr.startsWith('10.0.')))
	const theirs = ours.map(({ ifindex, addresses }): Route => {
		const via = addresses.find(({ cidr }) => cidr.startsWith('10.0.'))?.cidr.replace(/\d+\/\d+$/, '200')
		return {
			family: 4,
			to: '10.77.0.0/16',
			link: ifindex,
			table: 254,
			metric: 0,
			protocol: 4,
			type: 1,
			scope: 0,
			onlink: false,
			...(via && { via }),
		}
	})
	const reached = theirs.filter(({ link, via = '' }) =>
		state.links.some(one => one.ifindex === link && one.addresses.some(({ cidr }) => contains(cidr, via))),
	)
	const links = state.links.map(link => (ours.includes(link) ? { ...link, name: `theirs${link.ifindex}` } : link))
	return { ...state, links, routes: [...state.routes, ...reached] }
}

function carriedOut(want: Wanted, start: HostState): HostState {
	return plan(want, start, {}).steps.reduce(after, start)
}

/** The addresses of these links except leases, and their routes except those that the kernel added. */
function networkOfLinks(indexes: ReadonlySet<number>, { links, routes }: HostState) {
	const found = links.filter(({ ifindex }) => indexes.has(ifindex))
	return {
		addresses: found.map(({ addresses }) =>
			addresses
				.filter(({ dynamic }) => !dynamic)
				.map(({ cidr }) => cidr)
				.toSorted(),
		),
		routes: routes
			.filter(({ link = 0, protocol }) => indexes.has(link) && protocol !== 2)
			.map(routeKey)
			.toSorted(),
	}
}

/** Also removes the routes that the kernel adds for them. */
function withoutLeases(state: HostState): HostState {
	const links = state.links.map(link => ({ ...link, addresses: link.addresses.filter(({ dynamic }) => !dynamic) }))
	return { ...state, links, routes: state.routes.filter(({ protocol }) => protocol !== 2) }
}
