import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ifcfgFiles } from '../../agent/persist/ifcfg.ts'
import { addressesOf } from '../../agent/model/desired-network.ts'
import { familyOf } from '../../agent/model/networks.ts'
import { settle } from '../../contract/interface.ts'
import { anyWish } from './any-wish.ts'
import { shell } from './backends.ts'

/**
 * The readers of ifcfg files, RHEL's initscripts and NetworkManager's ifcfg-rh, are not available in the registries that the tests use.
 * This is a model of their defaults, with the source of each. The tests read the files of MultiNIC with it.
 */
type Variables = Record<string, string>
type Reader = { source: string; read(variables: Variables): unknown }

const isThere = (variables: Variables, key: string) => (variables[key] ?? '') !== ''

const readers = {
	/** Adds a route to 169.254.0.0/16 with metric 1000 + ifindex, unless NOZEROCONF has any value. */
	zeroconf: { source: 'initscripts, ifup-eth; observed: 169.254.0.0/16 dev multinic0 metric 1003', read: v => !isThere(v, 'NOZEROCONF') },
	/** Disables IPv4 without an address and without DHCP. */
	method4: {
		source: 'NetworkManager 1.42, nms-ifcfg-rh-reader.c, make_ip4_setting(); nm-settings-ifcfg-rh(5)',
		read: v => (/^(dhcp|bootp)$/i.test(v.BOOTPROTO ?? '') ? 'auto' : isThere(v, 'IPADDR') ? 'manual' : 'disabled'),
	},
	/** IPV6INIT and IPV6_AUTOCONF default to yes. */
	method6: {
		source: 'NetworkManager 1.42, nms-ifcfg-rh-reader.c, make_ip6_setting(); nm-settings-ifcfg-rh(5)',
		read: v => (v.IPV6INIT === 'no' ? 'ignore' : v.IPV6_AUTOCONF !== 'no' ? 'auto' : isThere(v, 'IPV6ADDR') ? 'manual' : 'link-local'),
	},
	/** If no metric is set, NetworkManager assigns 100 and above, one per device (IPv4), or 1024 (IPv6); the kernel assigns 0 and 256. */
	metrics: { source: 'nm-settings-ifcfg-rh(5)', read: v => [v.IPV4_ROUTE_METRIC ?? 'by device', v.IPV6_ROUTE_METRIC ?? 'by device'] },
	/** Adds a default route through this interface if a gateway is known, unless DEFROUTE is `no` and no GATEWAY is set. */
	isDefault: { source: 'initscripts, sysconfig.txt; nm-settings-ifcfg-rh(5)', read: v => v.DEFROUTE !== 'no' || isThere(v, 'GATEWAY') },
} satisfies Record<string, Reader>

describe('the model of the readers of an ifcfg file', () => {
	test.each<[text: string, reader: keyof typeof readers, made: unknown]>([
		['DEVICE=eth0\nBOOTPROTO=none\nIPADDR=10.0.0.2\n', 'zeroconf', true],
		['DEVICE=eth0\nNOZEROCONF=yes\n', 'zeroconf', false],
		['BOOTPROTO=none\n', 'method4', 'disabled'],
		['BOOTPROTO=none\nIPADDR=10.0.0.2\n', 'method4', 'manual'],
		['BOOTPROTO=dhcp\n', 'method4', 'auto'],
		['IPV6INIT=no\n', 'method6', 'ignore'],
		['DEVICE=eth0\n', 'method6', 'auto'],
		['IPV6INIT=yes\nIPV6_AUTOCONF=no\nIPV6ADDR=fd00::2/64\n', 'method6', 'manual'],
		['DEVICE=eth0\n', 'metrics', ['by device', 'by device']],
		['DEFROUTE=no\n', 'isDefault', false],
	])('from %j, determines that %s is %j', (text, reader, made) => expect(readers[reader].read(shell(text))).toEqual(made))
})

test.each([true, false])('readers of ifcfg files add no configuration to that in the files (NetworkManager runs: %s)', networkmanager => {
	fc.assert(
		fc.property(anyWish(['fa:16:3e:00:00:01'], 1), wish => {
			for (const nic of settle(wish.map(one => ({ ...one, macAddress: 'fa:16:3e:00:00:01' })))) {
				const text = ifcfgFiles(nic, { networkmanager })[`/etc/sysconfig/network-scripts/ifcfg-${nic.name}`]?.content ?? ''
				const variables = shell(text)
				const has = (family: 4 | 6) => addressesOf(nic).some(cidr => familyOf(cidr) === family)
				expect(Object.fromEntries(Object.entries(readers).map(([name, { read }]) => [name, read(variables)]))).toEqual({
					zeroconf: false,
					method4: has(4) ? 'manual' : 'disabled',
					method6: has(6) ? 'manual' : 'ignore',
					metrics: ['0', '256'],
					isDefault: false,
				})
			}
		}),
	)
})
