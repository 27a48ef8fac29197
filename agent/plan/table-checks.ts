import { routeTable } from '../../contract/names.ts'
import type { Check } from './check.ts'
import type { Question } from './preflight.ts'

/** Who else uses the route table of an interface. */

/** In the table of an interface its routes replace any other to the same network, of whatever type. */
export const tableServesOthers: Check<Question> = {
	reason: 'InUse',
	when: 'table 100 + *N* has a route over a link that is neither ours nor wanted',
	see: 'ip route show table 100',
	find({ nic, host, own }) {
		const table = routeTable(nic.id)
		const other = host.routes.find(route => route.table === table && !(route.link !== undefined && own.has(route.link)))
		if (!nic.policyRouting || !other) return
		const over = host.links.find(({ ifindex }) => ifindex === other.link)?.name
		return {
			says: `table ${table} has a route to ${other.to}${over === undefined ? '' : ` over ${over}`}, which is not ours`,
			see: `ip ${other.family === 6 ? '-6 ' : ''}route show table ${table}`,
		}
	},
}
