import { describe, expect, test } from 'vitest'
import { type Case, check, type Expected, ENS7, gateway6, linesOf, MGMT, type Named, TUN } from './look-ups-of-a-node.ts'
import { address, route } from './routing-objects.ts'

/** The sources of the packets of a node that are looked up. */

const tunnel: Named = { ifindex: TUN, name: 'tun5', addresses: [] }

describe('lookups from an address of the node', () => {
	const from = (ip: string) => `9.9.9.9 from ${ip}`
	const seventeen = Array.from({ length: 17 }, (_, at) => `192.168.9.${at + 2}/24`)
	const lo: Named = { ifindex: 1, name: 'lo', addresses: [address('127.0.0.1/8'), address('10.9.0.9/32')] }
	const doubled: Named = {
		ifindex: TUN,
		name: 'eth5',
		addresses: [address('192.168.7.2/24', { duplicate: true }), address('192.168.7.3/24')],
	}
	test.each<[title: string, given: Case, expected: Expected]>([
		['exclude an address on a link that the run changes', {}, { has: [from('192.168.9.2')], hasNo: ['192.168.8.2'] }],
		['exclude a loopback address, but not others on lo', { links: [lo] }, { has: [from('10.9.0.9')], hasNo: ['127.0.0.1'] }],
		['exclude an address that another host also has', { links: [doubled] }, { has: [from('192.168.7.3')], hasNo: ['192.168.7.2'] }],
		['include 16 addresses of a link', { addresses: seventeen }, { has: [from('192.168.9.17')], hasNo: ['192.168.9.18'] }],
		[
			'include 16 addresses of each link',
			{ addresses: seventeen, links: [{ ...tunnel, addresses: [address('192.168.7.2/24')] }] },
			{ has: [from('192.168.7.2')] },
		],
		[
			'exclude a link-local IPv6 address',
			{ addresses: ['fe80::2/64', 'fd09::2/64'], routes: [gateway6('fd09::1')] },
			{ has: ['9000::1 from fd09::2', 'fd09::1 from fd09::2'], hasNo: ['fe80::2'] },
		],
	])('%s', (_, given, expected) => {
		check(given, expected)
	})

	test('have a destination of the same family', () => {
		const lines = linesOf({ addresses: ['192.168.9.2/24', 'fd09::2/64'], routes: [gateway6('fd09::1')] })
		const mixed = lines.filter(line => line.includes(' from ') && line.includes('.') && line.includes(':'))
		expect(mixed).toEqual([])
	})
})

describe('lookups from an address without a network to a neighbouring one', () => {
	const alone = (more: Partial<Named> = {}, ...cidrs: string[]): Named => ({
		...tunnel,
		addresses: (cidrs.length > 0 ? cidrs : ['10.0.0.7/32']).map(cidr => address(cidr)),
		...more,
	})
	const beside = (ip: string) => `10.0.0.1 from ${ip}`
	const many = Array.from({ length: 17 }, (_, at) => `10.0.0.${at + 31}/32`)
	const isBeside = (line: string) => /^10\.0\.\d+\.\d+ from 10\.0\.\d+\.\d+$/.test(line)
	test.each<[title: string, given: Case, lines: string[]]>([
		['go to an address in the network of the run that contains it', { links: [alone()] }, [beside('10.0.0.7')]],
		[
			'are also from an address with a peer',
			{ links: [alone({ addresses: [address('10.0.0.7/24', { peer: '10.0.9.9/32' })], up: false })] },
			[beside('10.0.0.7')],
		],
		['do not exist for an address with a network', { links: [alone({ up: false }, '10.0.0.7/24')] }, []],
		['do not exist outside the networks of the run', { links: [alone({}, '10.0.1.7/32')] }, []],
		['do not exist for a link that the run changes', { links: [alone()], about: { touched: new Set([TUN, ENS7]) } }, []],
		['do not exist for a dummy link', { links: [alone({ kind: 'dummy' })] }, []],
		['do not exist for a macvlan of a NIC', { links: [alone({ kind: 'macvlan', lower: ENS7 })] }, []],
		['exist for a macvlan of another link', { links: [alone({ kind: 'macvlan', lower: MGMT })] }, [beside('10.0.0.7')]],
		['do not exist for a network that is the whole address space', { links: [alone()], about: { networks: ['0.0.0.0/0'] } }, []],
		['go to an address that the run does not add', { links: [alone()], about: { given: ['10.0.0.1'] } }, ['10.0.0.2 from 10.0.0.7']],
		[
			'go to an address that has no host route',
			{ links: [alone()], routes: [route('10.0.0.1/32', { link: MGMT, table: 77, type: 7 })] },
			['10.0.0.2 from 10.0.0.7'],
		],
		[
			'go to an address in a network that has a route',
			{ links: [alone()], routes: [route('10.0.0.2/31', { link: MGMT, table: 77, type: 7 })], about: { given: ['10.0.0.1'] } },
			['10.0.0.2 from 10.0.0.7'],
		],
		['do not exist if the network has no other address', { links: [alone()], about: { networks: ['10.0.0.7/32'] } }, []],
		[
			'are from at most 16 addresses of a link',
			{ links: [alone({}, ...many)] },
			many.slice(0, 16).map(cidr => beside(cidr.replace('/32', ''))),
		],
		[
			'go to the first free address in overlapping networks of the run',
			{ links: [alone()], about: { networks: ['10.0.0.0/28', '10.0.0.0/24', '10.0.9.0/24'], given: ['10.0.0.1'] } },
			['10.0.0.2 from 10.0.0.7'],
		],
	])('%s', (_, given, lines) => {
		expect(linesOf(given).filter(isBeside)).toEqual(lines)
	})

	test('use the same family', () => {
		const links = [{ ...tunnel, addresses: [address('10.0.0.7/32'), address('fd05::7/128')] }]
		const lines = linesOf({ links, routes: [gateway6('fd09::1')], about: { networks: ['10.0.0.0/24', 'fd05::/64'] } })
		expect(lines.filter(line => line.startsWith('fd05::1 '))).toEqual(['fd05::1 from fd05::7'])
	})
})
