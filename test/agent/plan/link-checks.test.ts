import { describe, expect, test } from 'vitest'
import type { Address } from '../../../agent/model/address.ts'
import type { Link } from '../../../agent/model/host-state.ts'
import type { RecordedLink } from '../../../agent/model/record.ts'
import {
	holdsForeignAddress,
	holdsNodeAddress,
	keptByNetworkd,
	losesForeignAddress,
	nameCannotBeSpelled,
	unknownKeysOnLink,
} from '../../../agent/plan/link-checks.ts'
import { address, inputOf, mac, type OneNic, recordedNic } from './one-nic.ts'

/** Uses of a NIC that forbid changing it. */

const see = 'ip addr show dev ens7'

test.each<[title: string, nodeAddresses: string[], addresses: Address[], ip: string | undefined]>([
	['has an address of the node', ['192.168.9.2'], [address('10.0.0.23/24'), address('192.168.9.2/24')], '192.168.9.2'],
	['has an address of the node in another notation', ['192.168.9.2', 'FD00:0::2'], [address('fd00::2/64')], 'fd00::2'],
	['has another address', ['192.168.9.2'], [address('192.168.9.3/24')], undefined],
	['has no address', ['192.168.9.2'], [], undefined],
])('a NIC %s', (_, nodeAddresses, addresses, ip) => {
	const says = `ens7 has ${ip}, which Kubernetes lists for this node`
	expect(holdsNodeAddress.find(inputOf({ link: { addresses }, more: { nodeAddresses } }))).toEqual(ip && { says, see })
})

describe('an address of a NIC', () => {
	const alone = { connectedRoute: false }

	test.each<[title: string, one: OneNic & { ours?: RecordedLink }, addresses: Address[], foreign: string | undefined]>([
		['is foreign if it is not desired', {}, [address('10.0.0.23/24'), address('10.0.0.99/24')], '10.0.0.99/24'],
		['is foreign if it has another prefix length', {}, [address('10.0.0.23/16')], '10.0.0.23/16'],
		['is not foreign if it is desired', {}, [address('10.0.0.23/24')], undefined],
		['is not foreign if it has the prefix length of the node config', { nic: alone }, [address('10.0.0.23/24')], undefined],
		[
			'is not foreign if it has the prefix length of an interface without a connected route',
			{ nic: alone },
			[address('10.0.0.23/32')],
			undefined,
		],
		['is not foreign if it has a lifetime', {}, [address('10.0.0.99/24', { dynamic: true })], undefined],
		['is not foreign if it is link-local', {}, [address('fe80::99/64', { global: false })], undefined],
		[
			'is not foreign if MultiNIC added it for an earlier config',
			{ ours: recordedNic({ addresses: ['10.0.0.98/24'], former: ['10.0.0.99/24'] }) },
			[address('10.0.0.98/24'), address('10.0.0.99/24')],
			undefined,
		],
	])('%s', (_, one, addresses, foreign) => {
		const says = `ens7 has ${foreign}, which is not requested here and did not come from DHCP`
		expect(holdsForeignAddress.find(inputOf({ ...one, link: { addresses } }))).toEqual(foreign && { says, see })
	})
})

describe('an address of a NIC that would be set down by its removal', () => {
	const original = { addresses: [address('192.168.7.2/24') as never] }

	test.each<[title: string, ours: RecordedLink, addresses: Address[], foreign: string | undefined]>([
		['was added by another program', recordedNic(), [address('10.0.0.23/24'), address('10.0.0.99/24')], '10.0.0.99/24'],
		['was added by MultiNIC', recordedNic({ former: ['10.0.0.99/24'] }), [address('10.0.0.23/24'), address('10.0.0.99/24')], undefined],
		['is an original one', recordedNic({ original }), [address('192.168.7.2/24')], undefined],
		['was added to a NIC without original addresses', recordedNic(), [address('192.168.7.2/24')], '192.168.7.2/24'],
		['has a lifetime', recordedNic(), [address('10.0.0.99/24', { dynamic: true })], undefined],
		['is link-local', recordedNic(), [address('fe80::99/64', { global: false })], undefined],
		['was added to a NIC that stays up', recordedNic({ original: { up: true } }), [address('10.0.0.99/24')], undefined],
	])('%s', (_, ours, addresses, foreign) => {
		const { link, host } = inputOf({ link: { name: 'multinic0', addresses } })
		const says = `multinic0 would be set down and has ${foreign}, which another program added: remove that address first`
		expect(losesForeignAddress.find({ ours, link, host })).toEqual(foreign && { says, see: 'ip addr show dev multinic0' })
	})

	test('is not checked without a link', () => {
		expect(losesForeignAddress.find({ ours: recordedNic(), link: undefined, host: inputOf({}).host })).toBe(undefined)
	})
})

describe('systemd-networkd configures a NIC from a file', () => {
	const path = '/etc/systemd/network/10-a.network'
	const link = { managedBy: 'systemd-networkd' as const, networkFile: path, altnames: ['enp0s7'] }
	const file = (content: string) => ({ content, mode: 0o644, gid: 0 })
	const host = (content: string) => ({ host: { files: { [path]: file(`[Match]\n${content}\n`) } } })
	const says = `systemd-networkd configures ens7 from ${path}, which also matches`
	const more = `${says} multinic0: exclude multinic* there`

	test.each<[title: string, one: OneNic, says: string | undefined]>([
		['that matches all NICs', { link, ...host('Name=*') }, more],
		['that matches the MAC of the NIC', { link, ...host(`MACAddress=${mac(0)}`) }, more],
		[
			'that matches an alternative name',
			{ link, ...host('Name=enp*') },
			`${says} enp0s7, an alternative name of this NIC: limit it to other NICs`,
		],
		['that matches only its current name', { link: { ...link, altnames: [] }, ...host('Name=ens7') }, undefined],
		['that matches the MAC of another NIC', { link, ...host(`MACAddress=${mac(1)}`) }, undefined],
		['that the agent has not read', { link }, undefined],
		['that networkd does not report', { link: { managedBy: 'systemd-networkd' }, ...host('Name=*') }, undefined],
		['but does not manage this NIC', { link: { networkFile: path }, ...host('Name=*') }, undefined],
		['but NetworkManager manages it', { link: { ...link, managedBy: 'NetworkManager' }, ...host('Name=*') }, undefined],
		['and MultiNIC manages the NIC', { link, ...host('Name=*'), ours: recordedNic() }, undefined],
		[
			'with a drop-in that excludes multinic*',
			{
				link: { ...link, altnames: [] },
				host: { files: { [path]: file('[Match]\nName=*\n'), [`${path}.d/a.conf`]: file('[Match]\nName=!multinic*\n') } },
			},
			undefined,
		],
	])('%s', (_, one, why) => {
		expect(keptByNetworkd.find(inputOf(one))).toEqual(why && { says: why, see: 'networkctl status ens7' })
	})
})

test('a NIC with a key that the agent does not know is refused, because it could not be restored', () => {
	const unknown = ['xdp', 'other'].map(key => ({ key, see: `ip -j link show ${key}` }))
	const says = "this agent does not know 'xdp' of ens7 and could not restore it"
	expect(unknownKeysOnLink.find(inputOf({ link: { unknown } }))).toEqual({ says, see: 'ip -j link show xdp' })
	expect(unknownKeysOnLink.find(inputOf({ link: { unknown: [] } }))).toBe(undefined)
	expect(unknownKeysOnLink.find(inputOf({}))).toBe(undefined)
})

describe('a NIC', () => {
	const name = (odd: string) => ({
		says: `the name '${odd}' of the link with index 3 could not be restored after a change`,
		see: 'ip -d link show',
	})
	const label = (odd: string) => ({ says: `the label '${odd}' of 10.0.0.23/24 on ens7 could not be restored after a change`, see })
	const labelled = (text: string): Partial<Link> => ({ addresses: [address('10.0.0.22/24'), address('10.0.0.23/24', { label: text })] })

	test.each<[title: string, link: Partial<Link>, found: ReturnType<typeof name> | undefined]>([
		['has a name with every character that ip -batch supports', { name: 'en-s7.1@x_Y', altnames: ['enp0s7'] }, undefined],
		['has a name that starts with another character', { name: '#ens7' }, name('#ens7')],
		['has a name that ends with another character', { name: 'ens7 ' }, name('ens7 ')],
		['has an alternative name with a quote', { altnames: ['enp0s7', "it's"] }, name("it's")],
		['has a label', labelled('ens7:1'), undefined],
		['has a label with a space', labelled('ens7:1 a'), label('ens7:1 a')],
		['has no label', { addresses: [address('10.0.0.23/24')] }, undefined],
	])('%s', (_, link, found) => {
		expect(nameCannotBeSpelled.find(inputOf({ link }))).toEqual(found)
	})
})
