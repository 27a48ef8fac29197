import { describe, expect, test } from 'vitest'
import type { HostState } from '../../../agent/model/host-state.ts'
import type { Route } from '../../../agent/model/route.ts'
import { addressIn, destinationWords, isLoopback, outside, ownAddresses } from '../../../agent/plan/sample-address.ts'

/** Addresses that represent a whole network. */

const to = (...networks: string[]): Pick<HostState, 'routes'> => ({
	routes: networks.map(one => ({ family: one.includes(':') ? 6 : 4, to: one, table: 254 }) as Route),
})

describe('destinations outside are represented by', () => {
	test.each<[title: string, family: 4 | 6, host: Pick<HostState, 'routes'>, samples: string[]]>([
		['an address of each half of the address space', 4, to(), ['9.9.9.9', '198.41.0.4']],
		['an address of each half of the IPv6 address space', 6, to(), ['2620:fe::fe', '9000::1']],
		['the second candidate if a route matches the first', 4, to('9.0.0.0/8', '198.41.0.0/16'), ['45.45.45.45', '151.101.0.1']],
		[
			'the third candidate if routes match both others',
			4,
			to('9.0.0.0/8', '45.0.0.0/8', '198.0.0.0/8', '151.0.0.0/8'),
			['77.77.77.77', '223.5.5.5'],
		],
		['the first candidate if routes match all', 4, to('9.0.0.0/8', '45.0.0.0/8', '77.0.0.0/8'), ['9.9.9.9', '198.41.0.4']],
		[
			'the third IPv6 candidate if routes match both others',
			6,
			to('2620::/16', '2001::/16', '9000::/16', 'b000::/16'),
			['2a00:1450::1', 'd000::1'],
		],
		[
			'the first candidate if only default routes and halves of the address space match it',
			4,
			to('0.0.0.0/0', '0.0.0.0/1', '128.0.0.0/1'),
			['9.9.9.9', '198.41.0.4'],
		],
		[
			'the second candidate if a half of the address space and a route match the first',
			4,
			to('0.0.0.0/1', '9.0.0.0/8'),
			['45.45.45.45', '198.41.0.4'],
		],
		['another candidate if a quarter of the address space matches the first', 4, to('0.0.0.0/2'), ['77.77.77.77', '198.41.0.4']],
	])('%s', (_, family, host, samples) => {
		expect(outside(family, host)).toEqual(samples)
	})

	test('another candidate because of an excluded network, but not because of a route in another table', () => {
		const elsewhere = { routes: to('9.0.0.0/8').routes.map(route => ({ ...route, table: 100 })) }
		expect([outside(4, elsewhere)[0], outside(4, elsewhere, ['9.0.0.0/8'])[0]]).toEqual(['9.9.9.9', '45.45.45.45'])
	})
})

test.each([
	['9.9.9.9', [], 'destinations outside (such as 9.9.9.9)'],
	['223.5.5.5', [], 'destinations outside (such as 223.5.5.5)'],
	['d000::1', [], 'destinations outside (such as d000::1)'],
	['9.9.9.9', ['9.9.9.9'], '9.9.9.9'],
	['9.9.9.8', [], '9.9.9.8'],
])('the message about %s (given: %j) contains %s', (ip, given, words) => {
	expect(destinationWords(ip, given)).toBe(words)
})

describe('a network is represented by', () => {
	test.each<[title: string, network: string, except: string[], beside: string[], ip: string | undefined]>([
		['its first address', '10.0.0.0/24', [], [], '10.0.0.1'],
		['the next address if the first is in use', '10.0.0.0/24', ['10.0.0.1'], [], '10.0.0.2'],
		['its only address', '10.0.0.5/32', [], [], '10.0.0.5'],
		['the first of two addresses', '10.0.0.4/31', [], [], '10.0.0.4'],
		['the second of four addresses', '10.0.0.4/30', [], [], '10.0.0.5'],
		['an address after another network inside', '10.0.0.0/24', [], ['10.0.0.0/28'], '10.0.0.16'],
		['an address after a large network inside', '10.0.0.0/24', [], ['10.0.0.0/25'], '10.0.0.128'],
		['none if all are in use', '10.0.0.4/31', ['10.0.0.4', '10.0.0.5'], [], undefined],
		['none if another network contains it', '10.0.0.0/28', [], ['10.0.0.0/24'], undefined],
		['the last of the first 31 addresses', '10.0.0.0/24', Array.from({ length: 30 }, (_, at) => `10.0.0.${at + 1}`), [], '10.0.0.31'],
		['none after the first 31 addresses', '10.0.0.0/24', Array.from({ length: 31 }, (_, at) => `10.0.0.${at + 1}`), [], undefined],
	])('%s', (_, network, ...[except, beside, ip]) => {
		expect(addressIn(network, new Set(except), beside)).toBe(ip)
	})
})

test('the addresses of a host are those of all its links', () => {
	const links = [{ addresses: [{ cidr: '10.0.0.5/24' }, { cidr: 'fd00::5/64' }] }, { addresses: [{ cidr: '10.0.1.5/32' }] }]
	expect([...ownAddresses({ links } as unknown as HostState)]).toEqual(['10.0.0.5', 'fd00::5', '10.0.1.5'])
})

test.each([
	['127.0.0.1', true],
	['127.9.9.9', true],
	['::1', true],
	['12.127.0.1', false],
	['::127', false],
])('%s is a loopback address: %s', (ip, isOne) => {
	expect(isLoopback(ip)).toBe(isOne)
})
