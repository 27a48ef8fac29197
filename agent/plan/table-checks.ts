import { routeTable } from '../../contract/names.ts'
import type { Route } from '../host/state.ts'
import type { Check } from './check.ts'
import type { Question } from './preflight.ts'
import { isOurRule, linksOf } from './routing.ts'

/** Who else uses the route table of an interface. */

/** In the table of an interface its routes replace any other to the same network, of whatever type. */
export const tableServesOthers: Check<Question> = {
	reason: 'InUse',
	when: 'table 100 + *N* has a route over a link that is neither ours nor wanted, or without a link',
	see: 'ip route show table 100',
	find({ nic, host, own }) {
		const table = routeTable(nic.id)
		const other = host.routes.find(route => route.table === table && !isOver(route, own))
		if (!nic.policyRouting || !other) return
		const over = host.links.find(({ ifindex }) => linksOf(other).includes(ifindex))?.name
		return {
			says: `table ${table} is needed for ${nic.name} and has a route to ${other.to}${over === undefined ? '' : ` over ${over}`}`,
			see: `ip ${other.family === 6 ? '-6 ' : ''}route show table ${table}`,
		}
	},
}

/** An empty table decides nothing, so a rule that looks it up sends its packets elsewhere as soon as it is filled. One that came after us meant it so. */
export const isTableLookedUp: Check<Question> = {
	reason: 'InUse',
	when: 'a rule that is not ours looks up table 100 + *N*, which holds no routes of ours yet',
	see: 'ip rule show priority 20000',
	find({ nic, host, ours }) {
		const table = routeTable(nic.id)
		if (!nic.policyRouting || ours?.routes.some(route => route.table === table)) return
		const rule = host.rules.find(other => other.table === table && other.action === undefined && !isOurRule(other))
		if (!rule) return
		return {
			says: `the rule '${rule.words}' looks up table ${table}, which ${nic.name} needs for itself`,
			see: `ip ${rule.family === 6 ? '-6 ' : ''}rule show priority ${rule.priority}`,
		}
	},
}

function isOver(route: Route, links: ReadonlySet<number>): boolean {
	const used = linksOf(route)
	return used.length > 0 && used.every(link => links.has(link))
}
