import { expect } from 'vitest'
import { lineOf } from '../../../agent/host/route-lookup.ts'
import type { HostState, Link, Rule } from '../../../agent/model/host-state.ts'
import type { Route } from '../../../agent/model/route.ts'
import { lookupsOf, type Subject } from '../../../agent/plan/node-packets.ts'
import { DEFAULT_BASES } from '../../../contract/bases.ts'
import { hostWith } from '../simulated-host.ts'
import { address, route, rule } from './routing-objects.ts'

/** The route lookups of a node with two links, as arguments of `ip route get`. */

export const [MGMT, ENS7, TUN] = [2, 3, 5]
const subject: Subject = {
	touched: new Set([ENS7]),
	networks: ['10.0.0.0/24'],
	given: ['10.0.0.23'],
	paths: ['10.96.0.1', 'api.example.org'],
	pods: [],
	bases: [DEFAULT_BASES],
}
export const byDefault = route('0.0.0.0/0', { via: '192.168.9.1', link: MGMT })
export type Named = Partial<Link> & { ifindex: number; name: string }
export type Case = { addresses?: string[]; links?: Named[]; routes?: Route[]; rules?: Rule[]; about?: Partial<Subject>; gateway?: Route[] }
/** The IPv4 rules that every kernel has. */
export const base = [rule(0, { table: 255 }), rule(32_766)]
export const six = rule(32_766, { family: 6 })

/** The node has 192.168.9.2/24 on mgmt, its default route there, and ens7, which the run changes. */
function hostOf({ addresses = ['192.168.9.2/24'], links = [], routes = [], rules = base, gateway = [byDefault] }: Case): HostState {
	const all: Named[] = [
		{ ifindex: MGMT, name: 'mgmt', addresses: addresses.map(cidr => address(cidr)) },
		...(links.some(({ ifindex }) => ifindex === ENS7) ? [] : [{ ifindex: ENS7, name: 'ens7', addresses: [address('192.168.8.2/24')] }]),
		...links,
	]
	return hostWith(
		all.map(link => ({ mac: `02:00:00:00:00:${link.ifindex + 10}`, up: true, ...link })),
		{ routes: [...gateway, ...routes], rules },
	)
}
export const linesOf = (given: Case): string[] => {
	const { lookups } = lookupsOf(hostOf(given), { ...subject, ...given.about })
	const lines = lookups.map(one => lineOf(one).replace('route get ', ''))
	return lines.map(line => line.replace(/if0*(\d+)/g, 'if$1'))
}

/** Lines that are among the lookups, and words that no lookup contains. */
export type Expected = { has?: string[]; hasNo?: string[] }
export function check(given: Case, { has = [], hasNo = [] }: Expected): void {
	const lines = linesOf(given)
	expect(lines).toEqual(expect.arrayContaining(has))
	expect(lines.filter(line => hasNo.some(word => line.split(' ').includes(word)))).toEqual([])
}

/** An IPv6 default route. */
export const gateway6 = (via: string) => route('::/0', { via, link: MGMT, metric: 1_024 })
