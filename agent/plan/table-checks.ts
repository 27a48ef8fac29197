import { routeTable } from '../../contract/names.ts'
import type { Route } from '../host/state.ts'
import type { Check } from './check.ts'
import type { Question } from './preflight.ts'
import { linksOf } from './routing.ts'

/** Who else uses the route table of an interface. */

/** In the table of an interface its routes replace any other to the same network, of whatever type. */
export const tableServesOthers: Check<Question> = {
	reason: 'InUse',
	when: 'table 100 + *N* has a route over a link that is neither ours nor wanted',
	see: 'ip route show table 100',
	find({ nic, host, own }) {
		const table = routeTable(nic.id)
		const other = host.routes.find(route => route.table === table && !isOver(route, own))
		if (!nic.policyRouting || !other) return
		const over = host.links.find(({ ifindex }) => linksOf(other).includes(ifindex))?.name
		return {
			says: `table ${table} has a route to ${other.to}${over === undefined ? '' : ` over ${over}`}, which is not ours`,
			see: `ip ${other.family === 6 ? '-6 ' : ''}route show table ${table}`,
		}
	},
}

function isOver(route: Route, links: ReadonlySet<number>): boolean {
	const used = linksOf(route)
	return used.length > 0 && used.every(link => links.has(link))
}
