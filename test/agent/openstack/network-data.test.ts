import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type DataSource, isOpenStack, mismatches, NetworkData, type Signs } from '../../../agent/openstack/network-data.ts'
import { Interface, settle } from '../../../contract/interface.ts'
import { hostWith } from '../simulated-host.ts'

/** What Nova 26 generates for four ports: with DHCP, without DHCP, with IPv4 and IPv6, and without a subnet, which Nova omits. */
const recorded = readFileSync(new URL('../../fixtures/openstack/metadata/network_data.json', import.meta.url), 'utf8')
const [dhcp, plain, both, bare] = ['fa:16:3e:0a:00:01', 'fa:16:3e:37:c3:f1', 'fa:16:3e:65:04:9e', 'fa:16:3e:04:92:c6'] as const
const node = hostWith([{ ifindex: 2, name: 'mgmt0', mac: dhcp }])

const v4 = { address: '10.0.0.23', cidr: '10.0.0.0/24' }
const nic = (macAddress: string, more: Partial<Interface> = {}): Interface => Interface.parse({ macAddress, ...more })
const compare = (wanted: Interface, source: DataSource = 'metadata service', text = recorded, links = node.links) =>
	mismatches(settle([wanted]), links, { source, data: NetworkData.parse(JSON.parse(text)) })?.get(0)

describe('no warning is reported for an interface', () => {
	test.each<[string, Interface]>([
		['that matches the data of Nova', nic(plain, { ...v4, mtu: 1450 })],
		['whose MAC is in upper case', nic(plain.toUpperCase(), { ...v4, mtu: 1450 })],
		['whose address Nova omits because of DHCP', nic(dhcp, { address: '192.168.9.77', cidr: '192.168.9.0/24' })],
		['whose MTU Nova omits because of DHCP', nic(dhcp, { mtu: 9000 })],
		['that has additional addresses', nic(plain, { ...v4, addresses: ['10.0.0.99/24', 'fd00::9/64'] })],
		['whose second address is the address in the data of Nova', nic(plain, { ...v4, address: '10.0.0.99', addresses: ['10.0.0.23/24'] })],
		['without an address and an MTU', nic(both)],
		['whose IPv6 address has a different notation', nic(both, { address: 'FD00:1:0:0:F816:3EFF:FE65:049E', cidr: 'fd00:1::/64' })],
		['that Nova does not list because its port has no address', nic(bare, { mtu: 1400 })],
	])('%s', (_, wanted) => {
		expect(compare(wanted)).toBeUndefined()
	})
})

describe('a warning is reported for an interface', () => {
	test.each<[string, Interface, string]>([
		['with a different address', nic(plain, { ...v4, address: '10.0.0.24' }), 'Nova reports 10.0.0.23 for this MAC, not 10.0.0.24'],
		[
			'with a different IPv6 address',
			nic(both, { address: 'fd00:1::5', cidr: 'fd00:1::/64' }),
			'Nova reports fd00:1::f816:3eff:fe65:49e for this MAC, not fd00:1::5',
		],
		['with a larger MTU', nic(plain, { ...v4, mtu: 9000 }), 'Nova reports an MTU of 1450 for this MAC, not 9000'],
		[
			'with a different address and a different MTU',
			nic(both, { ...v4, mtu: 1450 }),
			'Nova reports 10.0.1.23 for this MAC, not 10.0.0.23, Nova reports an MTU of 9000 for this MAC, not 1450',
		],
		['whose port Nova does not list', nic(bare, v4), 'Nova lists no port of this VM with this MAC, and may be 15 s behind'],
	])('%s', (_, wanted, words) => {
		expect(compare(wanted)).toEqual({ reason: 'PortMismatch', message: `${words} (metadata service)` })
	})

	test('with a note if the data may be old', () => {
		expect(compare(nic(plain, { mtu: 9000 }), 'config drive')?.message).toMatch(/\(config drive, which may be old\)$/)
		expect(compare(nic(plain, { mtu: 9000 }), 'copy of cloud-init')?.message).toMatch(/\(copy of cloud-init, which may be old\)$/)
	})

	test('in a message that fits into a status with any number of addresses', () => {
		const addresses = Array.from({ length: 8 }, (_, at) => `10.0.0.${100 + at}/24`)
		const message = compare(nic(plain, { address: '10.0.0.99', cidr: '10.0.0.0/24', addresses, mtu: 9000 }))?.message ?? ''
		expect(message.length).toBeLessThan(256)
	})
})

describe('network data causes no warning', () => {
	test.each<[string, DataSource, string]>([
		['if it does not list a port and is a config drive, which may be older than the port', 'config drive', recorded],
		["if it does not list a port and is cloud-init's copy, which may be older than the port", 'copy of cloud-init', recorded],
		['if it is empty, because Nova has no network for the VM', 'metadata service', '{}'],
		['if it lists no NIC of this host', 'metadata service', recorded.replaceAll('fa:16:3e:0a', 'fa:16:3e:0b')],
	])('%s', (_, source, text) => {
		expect(compare(nic(bare, v4), source, text)).toBeUndefined()
	})

	test('for parts that cannot be parsed, while the rest is used', () => {
		const odd = JSON.stringify({
			links: [
				{ id: 'a', ethernet_mac_address: 'a4:00:01:00:fe:80:00:00:00:00:00:00', mtu: null },
				{ id: 'b', vlan_mac_address: dhcp, type: 'vlan' },
				{ id: 'c', ethernet_mac_address: dhcp, mtu: null },
				{ id: 'd', ethernet_mac_address: plain.toUpperCase(), mtu: 1500 },
			],
			networks: [
				{ link: 'd', ip_address: 'none' },
				{ link: 'd', ip_address: '10.0.0.7/24' },
			],
		})
		expect(compare(nic(plain, { ...v4, mtu: 1500 }), 'metadata service', odd)?.message).toMatch(
			/^Nova reports 10\.0\.0\.7 for this MAC, not 10\.0\.0\.23 /,
		)
	})
})

test('any response of the service is parsed or rejected without breaking a run', () => {
	const link = fc.record(
		{ id: fc.string(), ethernet_mac_address: fc.constantFrom(dhcp, plain, 'x', null, 7), mtu: fc.oneof(fc.integer(), fc.string()) },
		{ requiredKeys: [] },
	)
	const network = fc.record({ link: fc.string(), ip_address: fc.oneof(fc.ipV4(), fc.ipV6(), fc.string()) }, { requiredKeys: [] })
	const answer = fc.oneof(fc.jsonValue(), fc.record({ links: fc.array(link), networks: fc.array(network) }))
	fc.assert(
		fc.property(answer, value => {
			const { data } = NetworkData.safeParse(value)
			if (!data) return
			const found = mismatches(settle([nic(plain, { ...v4, mtu: 1450 })]), node.links, { source: 'metadata service', data })
			for (const { message } of found?.values() ?? []) expect(message).toMatch(/^Nova [\w .:,]+ \(metadata service\)$/)
		}),
	)
})

describe('OpenStack is queried:', () => {
	const none: Signs = { firmware: { vendor: '', product: '', assetTag: '' }, cloudId: '', configDrive: false }
	const made = (vendor: string, product: string, assetTag = '') => ({ ...none, firmware: { vendor, product, assetTag } })
	test.each<[boolean, string, Signs]>([
		[true, 'with the firmware data of Nova', made('OpenStack Foundation', 'OpenStack Nova')],
		[true, 'with the firmware data of Red Hat OpenStack', made('Red Hat', 'OpenStack Compute')],
		[true, 'with the asset tag of an OpenStack cloud', made('QEMU', 'Standard PC', 'HUAWEICLOUD')],
		[true, 'for which cloud-init reports OpenStack', { ...none, cloudId: 'openstack' }],
		[true, 'for which cloud-init reports a config drive', { ...none, cloudId: 'configdrive' }],
		[true, 'with a config drive', { ...none, configDrive: true }],
		[false, 'of Amazon EC2, whose metadata service has the same address', { ...made('Amazon EC2', 't3.micro'), cloudId: 'aws' }],
		[false, 'with only the firmware data of QEMU', made('QEMU', 'Standard PC (Q35 + ICH9, 2009)')],
		[false, 'without any firmware data', none],
	])('%s for a host %s', (asked, _, signs) => {
		expect(isOpenStack(signs)).toBe(asked)
	})
})
