import { tableWord } from '../ip/table-names.ts'
import type { RefusalCheck } from '../model/check.ts'
import { routesOf } from '../model/desired-network.ts'
import type { PreflightInput } from './preflight-input.ts'

/** Checks for routes of an interface that cannot coexist. */

/** The kernel keeps one route per network, table and metric. */
export const wantsRouteTwice: RefusalCheck<PreflightInput> = {
	reason: 'InvalidConfig',
	when: 'two of its routes have the same destination, table and metric, but different next hops',
	see: 'kubectl get multinicnodeconfigs -o yaml',
	find({ nic }) {
		const routes = routesOf(nic, 0)
		const place = ({ to, table, metric }: (typeof routes)[number]) => `${to} ${table} ${metric}`
		const twice = routes.find(route => routes.some(other => place(other) === place(route) && other.via !== route.via))
		if (!twice) return
		const where = `in table ${tableWord(twice.table)}${twice.metric === 0 ? '' : ` with metric ${twice.metric}`}`
		return { says: `${nic.name} has two routes to ${twice.to} ${where}, and the kernel keeps one of them` }
	},
}
