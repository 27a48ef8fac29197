import { expect, test } from 'vitest'
import { isSending, loneIp } from '../../../agent/plan/lone-address.ts'

/** Addresses without a network, and the links that send from them. */

test.each<[title: string, cidr: string, peer: string | undefined, ip: string | undefined]>([
	['with prefix length 32 has no network', '10.0.0.5/32', undefined, '10.0.0.5'],
	['with prefix length 128 has no network', 'fd00::5/128', undefined, 'fd00::5'],
	['with a peer is treated as one without a network', '10.0.0.5/24', '10.0.0.6', '10.0.0.5'],
	['with a shorter prefix has a network', '10.0.0.5/24', undefined, undefined],
	['that is link-local is ignored', 'fe80::5/128', undefined, undefined],
])('an address %s', (_, cidr, peer, ip) => {
	expect(loneIp({ cidr, ...(peer !== undefined && { peer }) })).toBe(ip)
})

test.each<[title: string, link: Parameters<typeof isSending>[0], isSender: boolean]>([
	['hardware', { name: 'eth0' }, true],
	['lo', { name: 'lo' }, false],
	['a dummy link', { name: 'kube-ipvs0', kind: 'dummy' }, false],
	['a macvlan link on another link', { name: 'mv0', kind: 'macvlan', lower: 2 }, true],
	['a macvlan link on a managed link', { name: 'mv0', kind: 'macvlan', lower: 3 }, false],
	['an ipvlan link on a managed link', { name: 'iv0', kind: 'ipvlan', lower: 3 }, false],
	['a VLAN on a managed link', { name: 'vlan0', kind: 'vlan', lower: 3 }, true],
])('the node sends from an address of %s', (_, link, isSender) => {
	expect(isSending(link, new Set([3]))).toBe(isSender)
})
