import { describe, expect, test } from 'vitest'
import type { Address } from '../../../agent/model/address.ts'
import type { Change } from '../../../agent/model/change.ts'
import type { HostState } from '../../../agent/model/host-state.ts'
import { configure } from '../../../agent/plan/configure.ts'
import { routeKey } from '../../../agent/model/route.ts'
import { addressOf, hostOf, linkOf, nicOf, oursOf, routeOf, selected } from './selected.ts'

/** Addresses that a run removes and adds again, and the routes that the kernel removes with them. Link 3 already has its final name. */

const changesOf = (wanted: string[], addresses: Address[], more: Partial<HostState> = {}) => {
	const host = hostOf({ name: 'multinic0', up: true, addresses }, more)
	const ours = oursOf({ addresses: addresses.map(({ cidr }) => cidr) })
	const accepted = { nic: nicOf({ addresses: wanted }), link: linkOf(host), ours }
	const { take, give } = configure(accepted, selected({ accepted: [accepted] }), host)
	return { take: take.map(words), give: give.map(words) }
}

function words(change: Change): string {
	if ('address' in change) return `${change.kind} ${change.address.cidr}`
	if ('route' in change) return `${change.kind} ${routeKey(change.route)}${'replace' in change ? ' replace' : ''}`
	return change.kind
}

const connected = routeOf('10.0.0.0/24', { protocol: 2 })
const table = routeOf('10.0.0.0/24', { table: 100 })
const labelled = addressOf('10.0.0.23/24', { label: 'multinic0:vip' })
const bare = (to: string, number = 254) => `addRoute 4 ${to}  3 ${number} 0 1`

describe('an address that is added again', () => {
	const [kept, stale] = [routeOf('10.7.0.0/16'), routeOf('10.9.0.0/16', { table: 100 })]

	test('is removed together with all IPv4 routes of the link, and those that stay are added again, each once and in its desired form', () => {
		const other = { ...table, source: '10.0.0.23' }
		expect(changesOf(['10.0.0.23/24'], [labelled], { routes: [connected, kept, stale, other] })).toEqual({
			take: ['removeRoute 4 10.9.0.0/16  3 100 0 1', 'removeAddress 10.0.0.23/24'],
			give: ['addAddress 10.0.0.23/24', `${bare('10.7.0.0/16')} replace`, `${bare('10.0.0.0/24', 100)} replace`, 'addRule'],
		})
	})

	test('is removed together with the other addresses of its network', () => {
		const addresses = [labelled, addressOf('10.0.0.24/24')]
		expect(changesOf(['10.0.0.23/24', '10.0.0.24/24'], addresses, { routes: [connected, table] })).toEqual({
			take: ['removeAddress 10.0.0.23/24'],
			give: ['addAddress 10.0.0.23/24', 'addAddress 10.0.0.24/24', `${bare('10.0.0.0/24', 100)} replace`, ...['addRule', 'addRule']],
		})
	})
})

test('another prefix length is added once, between the removals, and no routes of the link are removed with it', () => {
	const addresses = [addressOf('10.0.0.23/32'), addressOf('10.0.0.24/24')]
	const routes = [{ ...connected, source: '10.0.0.24' }, routeOf('10.7.0.0/16')]
	expect(changesOf(['10.0.0.23/24'], addresses, { routes })).toEqual({
		take: ['removeAddress 10.0.0.24/24', 'addAddress 10.0.0.23/24', 'removeAddress 10.0.0.23/32'],
		give: [bare('10.0.0.0/24', 100), 'addRule'],
	})
})

test('a new address is added after the prefix length of another address is changed', () => {
	expect(changesOf(['10.0.0.23/24', '10.1.0.5/24'], [addressOf('10.0.0.23/32')])).toEqual({
		take: ['addAddress 10.0.0.23/24', 'removeAddress 10.0.0.23/32'],
		give: ['addAddress 10.1.0.5/24', bare('10.0.0.0/24', 100), bare('10.1.0.0/24', 100), ...['addRule', 'addRule']],
	})
})

describe('an address without its connected route is', () => {
	test.each<[title: string, cidr: string, take: string[], give: string[]]>([
		[
			'removed and added again (IPv4)',
			'10.0.0.23/24',
			['removeAddress 10.0.0.23/24'],
			['addAddress 10.0.0.23/24', bare('10.0.0.0/24', 100)],
		],
		['added without a removal (IPv6)', 'fd00::23/64', [], ['addAddress fd00::23/64', 'addRoute 6 fd00::/64  3 100 1024 1']],
	])('%s', (_, cidr, take, give) => {
		const changes = changesOf([cidr], [addressOf(cidr, { flags: ['noprefixroute'] })])
		expect(changes).toEqual({ take, give: [...give, 'addRule'] })
	})
})
