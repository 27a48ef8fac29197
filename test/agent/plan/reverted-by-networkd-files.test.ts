import { describe, expect, test } from 'vitest'
import type { Address } from '../../../agent/model/address.ts'
import type { Change, Step } from '../../../agent/model/change.ts'
import type { HostState, Link } from '../../../agent/model/host-state.ts'
import { addedByNetworkd, revertedByNetworkd } from '../../../agent/plan/reverted-by-networkd.ts'
import type { Interface } from '../../../contract/interface.ts'
import { addressOf, hostOf, linkOf, nicOf, routeOf, ruleOf } from './selected.ts'

/** Which changes are attributed to systemd-networkd, which configures link 3 from a file of an earlier config. */

const networkFile = '/run/systemd/network/10-netplan-multinic0.network'
const accepted = (nic: Partial<Interface>, before: HostState) => ({
	accepted: [{ nic: nicOf(nic), link: linkOf(before), ours: undefined }],
})
const own = addressOf('10.0.0.23/24')
const added = addressOf('10.0.0.99/24')
const removal = (address: Address) => ({ id: 0, change: { kind: 'removeAddress', link: 3, address } })

describe('systemd-networkd has added', () => {
	const mtu = { id: 0, change: { kind: 'mtu', link: 3, bytes: 1500 } }
	test.each<[title: string, now: Partial<Link>, steps: object[], nic?: Partial<Interface>]>([
		['an address', { addresses: [own, added] }, [removal(added)]],
		['an MTU', { mtu: 1400 }, [mtu]],
		['both', { mtu: 1400, addresses: [added] }, [removal(added), mtu]],
		['nothing if the interface requests an MTU', { mtu: 1300 }, [], { mtu: 1400 }],
		['no desired address', { addresses: [own] }, []],
		['no address that the link had before', { addresses: [addressOf('10.5.0.5/24')] }, []],
		['no lease', { addresses: [{ ...added, dynamic: true }] }, []],
		['no link-local address', { addresses: [addressOf('169.254.0.5/16', { global: false })] }, []],
		['nothing if it does not configure the link', { addresses: [added], networkFile: '/etc/systemd/network/50-all.network' }, []],
		['nothing if it configures the link from the file of another interface', { addresses: [added] }, [], { id: 1 }],
	])('%s', (_, now, steps, nic = {}) => {
		const before = hostOf({ addresses: [addressOf('10.5.0.5/24')] })
		const selection = accepted({ addresses: ['10.0.0.23/24'], ...nic }, before)
		expect(addedByNetworkd(selection, before, hostOf({ networkFile, ...now }))).toEqual(steps)
	})

	test.each<[title: string, before: HostState, now: HostState]>([
		['before the run', { ...hostOf(), links: [] }, hostOf({ networkFile, addresses: [added] })],
		[
			'now',
			hostOf(),
			{ ...hostOf(), links: hostOf({ networkFile, addresses: [added] }).links.map(link => ({ ...link, ifindex: link.ifindex + 5 })) },
		],
	])('nothing if the link does not exist %s', (_, before, now) => {
		expect(addedByNetworkd(accepted({}, hostOf()), before, now)).toEqual([])
	})
})

describe('systemd-networkd may have reverted', () => {
	const route = routeOf('10.9.0.0/16')
	const repeated: Change[] = [
		...[{ kind: 'up', link: 3 } as const, { kind: 'mtu', link: 3, bytes: 1400 } as const],
		...[{ kind: 'addAddress', link: 3, address: own } as const, { kind: 'removeAddress', link: 3, address: own } as const],
		...[{ kind: 'addRoute', route } as const, { kind: 'removeRoute', route } as const],
		...[{ kind: 'addRule', rule: ruleOf() } as const, { kind: 'removeRule', rule: ruleOf() } as const],
		{ kind: 'sysctl', name: 'multinic0', key: 'ipv6/accept_ra', value: '0' },
	]
	const others: Change[] = [
		...[{ kind: 'rename', link: 3, to: 'a' } as const, { kind: 'down', link: 3 } as const],
		...[{ kind: 'addAltname', link: 3, name: 'a' } as const, { kind: 'removeFile', path: '/a' } as const],
	]
	const reverted = (steps: Step[], now = hostOf({ networkFile })) => revertedByNetworkd(accepted({}, now), steps, now)
	const up: Step = { id: 0, change: { kind: 'up', link: 3 } }

	test.each(repeated)('$kind', change => {
		expect(reverted([{ id: 0, change }])).toEqual([{ id: 0, change }])
	})

	test.each(others)('nothing if one of the steps is $kind', change => {
		expect(reverted([up, { id: 0, change }])).toEqual([])
	})

	test.each<[title: string, steps: Step[], reverted: Step[], now?: HostState]>([
		['nothing if a step belongs to no interface', [up, { change: { kind: 'up', link: 3 } }], []],
		['nothing if a step belongs to an interface that is not accepted', [up, { ...up, id: 1 }], []],
		['nothing if a step is an action', [up, { id: 0, action: { kind: 'reloadUdev' } }], []],
		[
			'a step, regardless of a probe before it',
			[{ id: 0, action: { kind: 'checkDuplicates', link: 3, name: 'a', ips: [], mac: '' } }, up],
			[up],
		],
		['nothing on a link that networkd does not configure', [up], [], hostOf()],
	])('%s', (_, steps, expected, now) => {
		expect(reverted(steps, now)).toEqual(expected)
	})
})
