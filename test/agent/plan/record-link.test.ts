import { describe, expect, test } from 'vitest'
import type { Link } from '../../../agent/model/host-state.ts'
import type { OriginalLink, RecordedLink } from '../../../agent/model/record.ts'
import { addressesWeAdded, mtuAfter, recordLink } from '../../../agent/plan/record-link.ts'
import type { Interface } from '../../../contract/interface.ts'
import { hostOf, linkOf, MAC, nicOf, oursOf } from './selected.ts'

/** What the record keeps of a link that MultiNIC manages. */

const recorded = (nic: Partial<Interface>, link: Partial<Link> = {}, ours?: RecordedLink) => {
	const host = hostOf(link)
	return recordLink({ nic: nicOf(nic), link: linkOf(host), ours }, host)
}
const settings = { 'ipv4/rp_filter': '1', 'ipv4/arp_ignore': '1', 'ipv6/accept_ra': '1', 'ipv6/mtu': '1400' }

test('the record of a link has what the interface configures', () => {
	const nic = {
		...{ id: 2, mtu: 1400, gateway: '10.0.0.1', addresses: ['10.0.0.23/24'] },
		routes: [{ to: '10.9.0.0/16', table: 254, metric: 7 }],
	}
	expect(recorded(nic)).toEqual({
		...{ mac: MAC, id: 2, name: 'multinic2', mtu: 1400, addresses: ['10.0.0.23/24'], former: [] },
		original: { name: 'ens3', altnames: [], mtu: 1500, up: false, sysctls: {}, ifindex: 3 },
		routes: [
			{ to: '10.0.0.0/24', table: 102, metric: 0 },
			{ to: '0.0.0.0/0', table: 102, metric: 0, via: '10.0.0.1' },
			{ to: '10.9.0.0/16', table: 254, metric: 7 },
		],
	})
	expect(recorded({})).not.toHaveProperty('mtu')
})

describe('the record of a link has its original', () => {
	test.each<[title: string, link: Partial<Link>, original: Partial<OriginalLink>]>([
		['name, MTU and state', { name: 'ens7', altnames: ['a'], mtu: 9000, up: true }, { name: 'ens7', altnames: ['a'], mtu: 9000, up: true }],
		['daemon', { managedBy: 'systemd-networkd' }, { daemon: 'systemd-networkd' }],
		[
			'daemon, with a note that NetworkManager managed the link',
			{ managedBy: 'NetworkManager' },
			{ daemon: 'NetworkManager', managed: true },
		],
		[
			'settings that the run changes, and the IPv6 MTU',
			{ sysctls: { ...settings, other: '1' } },
			{ sysctls: { 'ipv4/rp_filter': '1', 'ipv6/accept_ra': '1', 'ipv6/mtu': '1400' } },
		],
	])('%s', (_, link, original) => {
		const plain = { name: 'ens3', altnames: [], mtu: 1500, up: false, sysctls: {}, ifindex: 3 }
		expect(recorded({}, link).original).toEqual({ ...plain, ...original })
	})

	test('settings only if the interface changes them', () => {
		expect(recorded({ policyRouting: false }, { sysctls: settings }).original.sysctls).toEqual({
			'ipv6/accept_ra': '1',
			'ipv6/mtu': '1400',
		})
	})

	test('state from its first record, and settings that a later config changes', () => {
		const ours = oursOf({ original: { name: 'eth7', mtu: 9000, sysctls: { 'ipv6/accept_ra': '2' } } })
		expect(recorded({}, { name: 'multinic0', sysctls: settings }, ours).original).toEqual({
			...ours.original,
			sysctls: { 'ipv4/rp_filter': '1', 'ipv6/accept_ra': '2' },
		})
	})

	const [one, two] = ['a', 'b'].map(path => ({ path: `/sys/devices/${path}`, driver: 'virtio' }))
	test.each<[title: string, link: Partial<Link>, ours: RecordedLink | undefined, device: object]>([
		['device', one ? { device: one } : {}, undefined, { device: one }],
		[
			'device from its first record, even if it has another one now',
			two ? { device: two } : {},
			oursOf(one ? { device: one } : {}),
			{ device: one },
		],
		['device only if the first record had it', one ? { device: one } : {}, oursOf(), {}],
	])('%s', (_, link, ours, device) => {
		const { device: found } = recorded({}, link, ours)
		expect(found === undefined ? {} : { device: found }).toEqual(device)
	})
})

describe('the record of a link has former addresses', () => {
	const many = Array.from({ length: 20 }, (_, n) => `10.1.0.${n + 1}/24`)
	test.each<[title: string, ours: Partial<RecordedLink> | undefined, former: string[]]>([
		['if an earlier config had other addresses', { addresses: ['10.0.0.99/24'] }, ['10.0.0.99/24']],
		['of all earlier configs, each once', { former: many.slice(0, 2), addresses: [...many.slice(1, 3)] }, many.slice(0, 3)],
		['but not a desired one', { former: ['10.0.0.23/24'], addresses: ['10.0.0.23/24'] }, []],
		['but at most the last 16', { former: many }, many.slice(4)],
		['but none in its first record', undefined, []],
	])('%s', (_, ours, former) => {
		expect(recorded({ addresses: ['10.0.0.23/24'] }, {}, ours && oursOf(ours)).former).toEqual(former)
	})
})

test.each<[title: string, wanted: number | undefined, now: number, ours: RecordedLink | undefined, bytes: number]>([
	['the desired one', 1400, 1500, undefined, 1400],
	['the current one if none is desired', undefined, 9000, undefined, 9000],
	['the original one if an earlier config set the current one', undefined, 1400, oursOf({ mtu: 1400 }), 1500],
	['the current one if another program has set it since', undefined, 1300, oursOf({ mtu: 1400 }), 1300],
	['the current one if no earlier config set one', undefined, 1300, oursOf(), 1300],
])('the MTU after a run is %s', (...row) => {
	const [, wanted, mtu, ours, bytes] = row
	expect(mtuAfter(nicOf(wanted === undefined ? {} : { mtu: wanted }), linkOf(hostOf({ mtu })), ours)).toBe(bytes)
})

test('the addresses that MultiNIC added are those of the current config and of earlier ones', () => {
	expect(addressesWeAdded(oursOf({ addresses: ['10.0.0.23/24'], former: ['10.0.0.99/24'] }))).toEqual(['10.0.0.23/24', '10.0.0.99/24'])
	expect(addressesWeAdded(undefined)).toEqual([])
})
