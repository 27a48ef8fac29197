import { isInside, networkOf } from '../../contract/ip.ts'
import type { Check } from './check.ts'
import { routesBesideOwnTable } from './limit-checks.ts'
import { familyOf, hasNetwork, lengthOf } from './networks.ts'
import type { Question } from './preflight.ts'
import { linksOf, MAIN, routesOf } from './routing.ts'
import { showRoutes, tableWord } from './show.ts'

/** Routes of an interface that cannot be beside each other. */

/** The kernel keeps one route of a network, table and metric. */
export const wantsRouteTwice: Check<Question> = {
	reason: 'InvalidConfig',
	when: 'two of its routes have the same network, table and metric, and other next hops',
	see: 'kubectl get multinicnodeconfigs -o yaml',
	find({ nic }) {
		const routes = routesOf(nic, 0)
		const place = ({ to, table, metric }: (typeof routes)[number]) => `${to} ${table} ${metric}`
		const twice = routes.find((route, at) => routes.slice(0, at).some(other => place(other) === place(route) && other.via !== route.via))
		if (!twice) return
		const where = `in table ${tableWord(twice.table)}${twice.metric === 0 ? '' : ` with metric ${twice.metric}`}`
		return { says: `${nic.name} has two routes to ${twice.to} ${where}, and the kernel keeps one of them` }
	},
}

/** What is inside is narrower and so comes first, but only as long as it is there. */
export const routesAroundOthers: Check<Question> = {
	reason: 'InUse',
	when: 'one of its routes outside its own table holds the network of a link that is not ours, or a route over one',
	see: 'ip route show 10.244.1.0/24',
	find({ nic, host, own }) {
		const asked = routesBesideOwnTable(nic)
		if (asked.length === 0) return
		const links = host.links.filter(({ ifindex }) => !own.has(ifindex))
		const networks = links.flatMap(({ addresses }) => addresses.flatMap(({ cidr }) => (hasNetwork(cidr) ? [networkOf(cidr)] : [])))
		const isForeign = (used: readonly number[]) => used.length > 0 && used.every(link => !own.has(link))
		const routes = host.routes.filter(one => one.table === MAIN && lengthOf(one.to) > 1 && isForeign(linksOf(one))).map(({ to }) => to)
		for (const { to, table } of asked) {
			const held = [...networks, ...routes].find(network => isInside(network, to))
			if (held !== undefined)
				return {
					says: `the route to ${to} in table ${tableWord(table)} holds ${held}, which this node reaches over another link`,
					see: showRoutes(familyOf(held), held),
				}
		}
	},
}
