import { describe, expect, test } from 'vitest'
import type { Change } from '../../../agent/model/change.ts'
import type { HostState, Link } from '../../../agent/model/host-state.ts'
import type { RecordedLink } from '../../../agent/model/record.ts'
import { configure } from '../../../agent/plan/configure.ts'
import type { Interface, OfNode } from '../../../contract/interface.ts'
import { hostOf, linkOf, nicOf, oursOf, routeOf, selected } from './selected.ts'

/** What a run changes on link 3 (`ens3`) to configure it as `multinic0`. */

type Input = { nic?: Partial<Interface>; link?: Partial<Link>; ours?: RecordedLink; more?: Partial<HostState>; ofNode?: OfNode }
const phases = ({ nic = {}, link = {}, ours, more = {}, ofNode = {} }: Input) => {
	const host = hostOf({ up: true, ...link }, more)
	const accepted = { nic: nicOf(nic, ofNode), link: linkOf(host), ours }
	return configure(
		accepted,
		selected({ accepted: [accepted], bases: [...(ofNode.bases ? [ofNode.bases] : []), { table: 100, priority: 10_000 }] }),
		host,
	)
}
const setting = (key: string, value: string, name = 'ens3'): Change => ({ kind: 'sysctl', name, key, value })
const mtu = (bytes: number): Change => ({ kind: 'mtu', link: 3, bytes })

describe('a run sets', () => {
	const original = { 'ipv4/arp_ignore': '0', 'ipv6/accept_ra': '1' }
	test.each<[title: string, input: Input, settings: Change[]]>([
		[
			'the settings that differ',
			{ link: { sysctls: { 'ipv4/rp_filter': '1', 'ipv4/arp_ignore': '1', 'ipv6/accept_ra': '1' } } },
			[setting('ipv4/rp_filter', '2'), setting('ipv6/accept_ra', '0')],
		],
		['no setting that the kernel does not have', { link: { sysctls: {} } }, []],
		[
			'the original setting if the interface no longer requests another one',
			{
				nic: { policyRouting: false },
				link: { sysctls: { 'ipv4/arp_ignore': '1', 'ipv6/accept_ra': '0' } },
				ours: oursOf({ original: { sysctls: original } }),
			},
			[setting('ipv4/arp_ignore', '0')],
		],
		[
			'no original setting if another program has changed it since',
			{ nic: { policyRouting: false }, link: { sysctls: { 'ipv4/arp_ignore': '8' } }, ours: oursOf({ original: { sysctls: original } }) },
			[],
		],
	])('%s', (_, input, settings) => {
		expect(phases(input).settings).toEqual(settings)
	})
})

describe('a run changes the MTU and the state of a link:', () => {
	const again = setting('ipv6/accept_ra', '0', 'multinic0')
	const ours = oursOf({ mtu: 1400, original: { sysctls: { 'ipv6/mtu': '1300' } } })
	test.each<[title: string, input: Input, shape: Change[]]>([
		['not if the link is up and has the MTU', { nic: { mtu: 1500 } }, []],
		['not if the interface requests no MTU', {}, []],
		['to the requested MTU', { nic: { mtu: 1400 } }, [mtu(1400)]],
		['to up', { link: { up: false } }, [{ kind: 'up', link: 3 }]],
		['first the MTU, then the state', { nic: { mtu: 1400 }, link: { up: false } }, [mtu(1400), { kind: 'up', link: 3 }]],
		[
			'to the original MTU, and to the original IPv6 MTU',
			{ link: { mtu: 1400 }, ours },
			[mtu(1500), setting('ipv6/mtu', '1300', 'multinic0')],
		],
		['to a requested MTU, but not the IPv6 MTU', { nic: { mtu: 1350 }, link: { mtu: 1400 }, ours }, [mtu(1350)]],
		['not if the link has the original MTU', { nic: { mtu: 1500 }, ours }, []],
		['to the original MTU, without an IPv6 MTU', { link: { mtu: 1400 }, ours: oursOf({ mtu: 1400 }) }, [mtu(1500)]],
		[
			'sets the IPv6 settings again if the MTU becomes large enough for IPv6',
			{ nic: { mtu: 1280 }, link: { mtu: 1279 } },
			[mtu(1280), again],
		],
		['sets no settings if the MTU was large enough for IPv6', { nic: { mtu: 1500 }, link: { mtu: 1280 } }, [mtu(1500)]],
		['sets no settings if the MTU stays too small for IPv6', { nic: { mtu: 1279 }, link: { mtu: 1200 } }, [mtu(1279)]],
		['sets no IPv6 settings on a host without IPv6', { nic: { mtu: 1500 }, link: { mtu: 1200 }, more: { ipv6: false } }, [mtu(1500)]],
	])('%s', (_, input, shape) => {
		expect(phases(input).shape).toEqual(shape)
	})
})

describe('a run removes', () => {
	const stale = routeOf('10.9.0.0/16', { table: 100 })
	const leased = routeOf('10.8.0.0/16', { protocol: 16 })
	const removal = (route: typeof stale): Change => ({ kind: 'removeRoute', route })
	const bases = { table: 200, priority: 20_000 }
	test.each<[title: string, input: Input, take: Change[], leave: Change[]]>([
		[
			'an altname that becomes the name of the link',
			{ link: { altnames: ['enp0s3', 'multinic0'] } },
			[{ kind: 'removeAltname', link: 3, name: 'multinic0' }],
			[],
		],
		['a route that is not desired', { more: { routes: [stale, leased] } }, [removal(stale), removal(leased)], []],
		[
			'a route in a former table at the end',
			{ ours: oursOf({}), ofNode: { bases }, more: { routes: [stale, leased] } },
			[removal(leased)],
			[removal(stale)],
		],
		[
			'a route of a former base with the same table at the beginning',
			{ ours: oursOf({ bases: [{ table: 100, priority: 20_000 }] }), more: { routes: [stale] } },
			[removal(stale)],
			[],
		],
		[
			'a route in a former table of another interface at the beginning',
			{ ours: oursOf({}), ofNode: { bases }, more: { routes: [{ ...stale, table: 101 }] } },
			[removal({ ...stale, table: 101 })],
			[],
		],
	])('%s', (_, input, take, leave) => {
		const made = phases(input)
		expect([made.take, made.leave]).toEqual([take, leave])
	})
})

test('a run probes the desired addresses with the final name of the link, and adds addresses before routes and rules', () => {
	const { probe, give } = phases({ nic: { addresses: ['10.0.0.23/24'] } })
	expect(probe).toMatchObject([{ kind: 'checkDuplicates', link: 3, name: 'multinic0', ips: ['10.0.0.23'] }])
	expect(give.map(({ kind }) => kind)).toEqual(['addAddress', 'addRoute', 'addRule'])
})
