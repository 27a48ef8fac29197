import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { HostState } from '../../agent/model/host-state.ts'
import type { Route } from '../../agent/model/route.ts'
import { ipOf, networkOf } from '../../contract/ip.ts'
import { plan } from '../../agent/plan/plan.ts'
import type { Wanted } from '../../agent/plan/wanted.ts'
import { Interfaces, settle } from '../../contract/interface.ts'
import { afterEvery, comparable, hostWith } from './simulated-host.ts'

const macAddress = 'fa:16:3e:00:00:00'
const bare = hostWith([{ ifindex: 2, name: 'ens7', mac: macAddress, up: true }])

const cases: [had: string[], asked: string[]][] = [
	[
		['10.0.6.23/32', '10.0.6.24/24'],
		['10.0.6.23/24', '10.0.6.24/24'],
	],
	[['10.0.6.23/32', '10.0.6.24/24'], ['10.0.6.23/24']],
	[['10.0.6.24/24', '10.0.6.23/32'], ['10.0.6.23/24']],
	[['10.0.6.23/24', '10.0.6.24/24'], ['10.0.6.24/32']],
	[
		['10.0.6.23/24', '10.0.6.24/24'],
		['10.0.6.23/32', '10.0.6.24/24'],
	],
	[
		['10.0.6.24/24', '10.0.6.23/32'],
		['10.0.6.24/24', '10.0.6.23/24'],
	],
]

describe('a plan with different prefix lengths', () => {
	test.each(cases)(
		'from %j to %j has the desired result, and addresses that only get another prefix length exist after every step',
		(had, asked) => {
			const staying = had.map(ipOf).filter(ip => asked.some(cidr => ipOf(cidr) === ip && !had.includes(cidr)))
			const start = carriedOut(had, bare)
			const steps = stepsOf(asked, start)
			const between = steps.map((_, at) => afterEvery(start, steps.slice(0, at + 1), false))
			expect(byNetwork(addressesOf(between.at(-1)))).toEqual(byNetwork(asked))
			expect(between.filter(state => !staying.every(ip => addressesOf(state).map(ipOf).includes(ip)))).toEqual([])
		},
	)

	test.each([
		['an address with a different prefix length after a new address', ['10.0.6.23/32'], ['10.0.6.22/24', '10.0.6.23/24']],
		['two addresses that swap their prefix lengths', ['10.0.6.24/24', '10.0.6.23/25'], ['10.0.6.23/24', '10.0.6.24/25']],
	])('adds %s', (_, had, asked) => {
		expect(addressesOf(carriedOut(asked, carriedOut(had, bare)))).toEqual(asked)
	})

	const cidr = fc
		.tuple(fc.constantFrom(22, 23, 24, 25), fc.constantFrom(23, 24, 25, 32))
		.map(([last, length]) => `10.0.6.${last}/${length}`)
	const list = fc.uniqueArray(cidr, { selector: ipOf, minLength: 1 })
	const theirs = fc.record({ via: fc.constantFrom(undefined, '10.0.6.7'), source: fc.constantFrom(undefined, '10.0.6.23', '10.0.6.24') })
	test('is empty after it is applied, keeps the order of the config and routes of other programs, and its undo restores the first addresses', () => {
		fc.assert(
			fc.property(list, list, theirs, fc.nat(), (had, asked, their, cut) => {
				const ours = carriedOut(had, bare)
				const route = foreign(their)
				const start = afterEvery(ours, [{ change: { kind: 'addRoute', route } }], true)
				const isStaying = start !== ours && route.via === undefined && asked.map(ipOf).includes(route.source ?? ipOf(asked[0] ?? ''))
				const end = carriedOut(asked, start)
				expect(stepsOf(asked, end)).toEqual([])
				expect(byNetwork(addressesOf(end))).toEqual(byNetwork(asked))
				if (isStaying) expect(end.routes).toContainEqual(route)
				const { steps, undo } = plan(wanted(asked), start, {})
				const some = steps.slice(0, cut % (steps.length + 1))
				const back = afterEvery(afterEvery(start, some, false), undo, true)
				expect(comparable(back)).toEqual(comparable(start))
				expect(firstsOf(back)).toEqual(firstsOf(start))
			}),
			{ numRuns: 400 },
		)
	})
})

function foreign({ via, source }: { via: string | undefined; source: string | undefined }): Route {
	const given = { ...(via !== undefined && { via }), ...(source !== undefined && { source }) }
	return {
		family: 4,
		to: '10.77.0.0/16',
		link: 2,
		table: 77,
		metric: 0,
		protocol: 99,
		type: 1,
		scope: via ? 0 : 253,
		onlink: false,
		...given,
	}
}

function wanted(addresses: readonly string[]): Wanted {
	const interfaces = settle(Interfaces.parse([{ id: 6, macAddress, addresses }]))
	return { interfaces, nodeAddresses: [], kinds: new Set(['hardware']), failed: new Map() }
}

function stepsOf(addresses: readonly string[], start: HostState) {
	return plan(wanted(addresses), start, {}).steps
}

function carriedOut(addresses: readonly string[], start: HostState): HostState {
	return afterEvery(start, stepsOf(addresses, start), false)
}

function addressesOf(host: HostState | undefined): string[] {
	return (host?.links ?? []).flatMap(({ addresses }) => addresses.map(({ cidr }) => cidr))
}

/** The order of addresses matters only within a network. */
function byNetwork(cidrs: readonly string[]): Record<string, string[]> {
	const networks = [...new Set(cidrs.map(networkOf))].toSorted()
	return Object.fromEntries(networks.map(network => [network, cidrs.filter(cidr => networkOf(cidr) === network)]))
}

/** The addresses that the kernel uses as the source of packets to each network. */
function firstsOf(host: HostState): string[] {
	return Object.values(byNetwork(addressesOf(host))).flatMap(cidrs => cidrs.slice(0, 1))
}
