import { BlockList } from 'node:net'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { addressAfter, canonicalIp, contains, networkOf, parseCidr, parseIp } from '../../contract/ip.ts'

test.each([
	'',
	'1.2.3',
	'1.2.3.4.5',
	'256.0.0.1',
	'010.0.0.1',
	'1.2.3.4 ',
	':',
	':::',
	'1::2::3',
	'12345::',
	'::ffff:1.2.3.4',
	'::ffff:102:304',
	'fe80::1%eth0',
	'1:2:3:4:5:6:7',
])('%j is not an address', text => expect(parseIp(text)).toBeUndefined())

test.each(['10.0.0.0', '10.0.0.0/33', '10.0.0.0/08', '10.0.0.0/', '::/129', '10.0.0.0/8/8'])('%j is not a cidr', text => {
	expect(parseCidr(text)).toBeUndefined()
})

test.each([
	['10.0.0.23/24', '10.0.0.0/24'],
	['192.168.1.10/32', '192.168.1.10/32'],
	['0.0.0.0/0', '0.0.0.0/0'],
	['2001:db8:1::17/64', '2001:db8:1::/64'],
	['::1/128', '::1/128'],
])('the network of %s is %s', (cidr, network) => expect(networkOf(cidr)).toBe(network))

test('an address is in a cidr exactly when the standard library says so', () => {
	fc.assert(
		fc.property(fc.ipV4(), fc.ipV4(), fc.integer({ min: 0, max: 32 }), (network, address, length) => {
			const list = new BlockList()
			list.addSubnet(network, length, 'ipv4')
			expect(contains(`${network}/${length}`, address)).toBe(list.check(address, 'ipv4'))
		}),
	)
	const group = fc.integer({ min: 0, max: 65_535 }).map(value => value.toString(16))
	const v6 = fc
		.array(group, { minLength: 8, maxLength: 8 })
		.filter(isOwn)
		.map(groups => groups.join(':'))
	fc.assert(
		fc.property(v6, v6, fc.integer({ min: 0, max: 128 }), (network, address, length) => {
			const list = new BlockList()
			list.addSubnet(network, length, 'ipv6')
			expect(contains(`${network}/${length}`, address)).toBe(list.check(address, 'ipv6'))
		}),
	)
})

test('an IPv6 address may end in IPv4 notation', () => {
	expect(canonicalIp('::10.0.0.1')).toBe('::a00:1')
	expect(networkOf('2001:db8::10.0.0.1/112')).toBe('2001:db8::a00:0/112')
})

test('the canonical form of an IPv6 address is the one a URL parser gives', () => {
	const group = fc.oneof(
		fc.constant('0'),
		fc.integer({ min: 0, max: 65_535 }).map(value => value.toString(16)),
	)
	fc.assert(
		fc.property(fc.array(group, { minLength: 8, maxLength: 8 }).filter(isOwn), groups => {
			const text = groups.join(':')
			expect(`[${canonicalIp(text)}]`).toBe(new URL(`http://[${text}]`).hostname)
		}),
	)
})

/** Returns whether it is not ::ffff:a.b.c.d, which is an IPv4-mapped address. */
function isOwn(groups: string[]): boolean {
	return !/^(0:){5}ffff:/.test(groups.join(':'))
}

test('an IPv4-mapped address is rejected in a spec and accepted from a kernel', () => {
	expect([parseIp('::ffff:10.0.0.1'), parseCidr('::ffff:10.0.0.0/104')]).toEqual([undefined, undefined])
	expect(canonicalIp('0::FFFF:a00:1')).toBe('::ffff:10.0.0.1')
	expect(networkOf('::ffff:10.0.0.1/104')).toBe('::ffff:10.0.0.0/104')
	expect([contains('::ffff:10.0.0.0/104', '::ffff:10.9.9.9'), contains('10.0.0.0/8', '::ffff:10.9.9.9')]).toEqual([true, false])
	expect([addressAfter('::ffff:10.0.0.255', 1), addressAfter('10.0.0.0', 5), addressAfter('fd00::ffff', 1)]).toEqual([
		'::ffff:10.0.1.0',
		'10.0.0.5',
		'fd00::1:0',
	])
})
