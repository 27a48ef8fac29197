import { ruleWords, showRoutes, showRule } from '../ip/show-commands.ts'
import { basesInUse, basesOf, formerBases, isOurRule, tableOf } from '../model/bases.ts'
import type { RefusalCheck } from '../model/check.ts'
import { identityOf } from '../model/link-identity.ts'
import { recordOf } from '../model/record.ts'
import { linksOf, type Route } from '../model/route.ts'
import type { PreflightInput } from './preflight-input.ts'

/** Checks for other uses of the route table of an interface. */

/** In the table of an interface, its routes replace any other route to the same network, whatever its type. */
export const tableServesOthers: RefusalCheck<PreflightInput> = {
	reason: 'InUse',
	when: 'table 100 + *N* has a route over a link that is neither managed by MultiNIC nor requested, or without a link',
	see: 'ip route show table 100',
	find({ nic, host, own }) {
		const table = tableOf(nic.id, basesOf(nic))
		const other = host.routes.find(route => route.table === table && !isOver(route, own))
		if (!nic.policyRouting || !other) return
		const over = host.links.find(({ ifindex }) => linksOf(other).includes(ifindex) && !own.has(ifindex))?.name
		return {
			says: `table ${table} is needed for ${nic.name} and has a route to ${other.to}${over === undefined ? '' : ` over ${over}`}`,
			see: showRoutes(other.family, `table ${table}`),
		}
	},
}

/**
 * A rule that looks up an empty table has no effect, so filling the table redirects the packets of that rule. A rule that was added after
 * MultiNIC filled the table is considered intended.
 */
export const tableLookedUp: RefusalCheck<PreflightInput> = {
	reason: 'InUse',
	when: 'a rule that MultiNIC did not add looks up table 100 + *N*, which has no routes of MultiNIC yet',
	see: 'ip rule show priority 20000',
	find({ nic, host, ours }) {
		const table = tableOf(nic.id, basesOf(nic))
		if (!nic.policyRouting || ours?.routes.some(route => route.table === table)) return
		const bases = basesInUse([nic], recordOf(host))
		const rule = host.rules.find(other => other.table === table && other.action === undefined && !isOurRule(other, bases))
		if (!rule) return
		return {
			says: `the rule '${ruleWords(rule)}' looks up table ${table}, which only ${nic.name} may use`,
			see: showRule(rule),
		}
	},
}

function isOver(route: Route, links: ReadonlySet<number>): boolean {
	const used = linksOf(route)
	return used.length > 0 && used.every(link => links.has(link))
}

/**
 * Bases less than ten apart share tables: if another NIC managed by MultiNIC still uses a table, the table becomes free once that NIC has
 * moved to another.
 */
export const tableOfAnotherNic: RefusalCheck<PreflightInput> = {
	reason: 'InUse',
	when: 'its route table is still that of another NIC managed by MultiNIC, because the base was changed by less than ten',
	see: 'ip route show table 105',
	find({ nic, host }) {
		const table = tableOf(nic.id, basesOf(nic))
		const other = recordOf(host).links.find(
			ours => ours.mac !== nic.macAddress && formerBases(nic, ours).some(bases => tableOf(ours.id, bases) === table),
		)
		const link = host.links.find(candidate => identityOf(candidate) === other?.mac)
		const route = link && host.routes.find(one => one.table === table && linksOf(one).includes(link.ifindex))
		if (!nic.policyRouting || !other || !route) return
		return {
			says: `table ${table} is still that of ${other.name}, which has to move to another one first`,
			see: showRoutes(route.family, `table ${table}`),
		}
	},
}
