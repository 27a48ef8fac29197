import { type ChartLimits, LINK_LOCAL } from '../../contract/chart-limits.ts'
import type { WantedInterface } from '../../contract/interface.ts'
import { contains, ipOf, isInside, lengthOf, networkOf, overlap, parseIp } from '../../contract/ip.ts'
import type { RunConfig } from '../../contract/run-config.ts'
import { tableWord } from '../ip/table-names.ts'
import { basesOf, tableOf } from '../model/bases.ts'
import { firstRefusal, type Refusal, type RefusalCheck } from '../model/check.ts'
import { cidrsOf, familyOf, full } from '../model/networks.ts'
import { MAIN } from '../model/route.ts'

/**
 * Checks a node config against the limits of the chart. The API server enforces them too; these checks do not depend on the author of the
 * config. Pure.
 */

/** A network that belongs to the node or its cluster, and its description for messages. */
export type Protected = {
	network: string
	what: string
	/** Whether interfaces may have addresses in it. */
	mayHoldAddresses?: true
}

export type Limits = Omit<ChartLimits, 'protectedNetworks' | 'podNetworks'> & {
	/** Networks from the chart and of the cluster: a connected route that overlaps one stays out of the main table. */
	protectedNetworks: readonly Protected[]
	/** The node itself and its API server. */
	own: readonly Protected[]
}

export type LimitedNic = { nic: WantedInterface; limits: Limits }

type ForeignTableRoute = { to: string; table: number }

const SEE = 'kubectl get multinicnodeconfigs -o yaml'

const requestsDefaultRoute: RefusalCheck<LimitedNic> = {
	reason: 'NotAllowed',
	when: 'the interface has `defaultRoute: true`, and the chart value `runs.allowDefaultRoute` is false',
	see: SEE,
	find({ nic, limits }) {
		if (!nic.defaultRoute || limits.allowDefaultRoute) return
		return { says: `${nic.name} requests defaultRoute, and the chart does not allow it: set runs.allowDefaultRoute` }
	},
}

const routesHalfOfEverything: RefusalCheck<LimitedNic> = {
	reason: 'NotAllowed',
	when: 'one of its routes outside its own table is a default route or half of one, which the chart cannot allow',
	see: SEE,
	find({ nic }) {
		const route = routesBesideOwnTable(nic).find(({ to }) => lengthOf(to) < 2)
		return route && { says: `${routeText(route)} is a default route or half of one: set defaultRoute` }
	},
}

const routesToProtected: RefusalCheck<LimitedNic> = {
	reason: 'NotAllowed',
	when: 'one of its routes outside its own table overlaps an address of the node, the API server, a pod network, a link-local network or a network of `runs.protectedNetworks`',
	see: SEE,
	find({ nic, limits }) {
		const known = [...limits.own, ...limits.protectedNetworks]
		for (const route of routesBesideOwnTable(nic)) {
			const met = known.find(({ network }) => overlap(network, route.to))
			if (met) return { says: `${routeText(route)} overlaps ${met.network}, ${met.what}` }
		}
	},
}

const routesToUnlisted: RefusalCheck<LimitedNic> = {
	reason: 'NotAllowed',
	when: 'one of its routes outside its own table is in no prefix of the chart value `runs.allowMainTableRoutes`',
	see: SEE,
	find({ nic, limits }) {
		const route = routesBesideOwnTable(nic).find(({ to }) => !limits.allowMainTableRoutes.some(prefix => isInside(to, prefix)))
		return route && { says: `${routeText(route)} is not allowed by the chart: no prefix of runs.allowMainTableRoutes contains it` }
	},
}

/** The local host route of such an address takes precedence over every route: packets to that service or pod would not leave the node. */
const wantsProtectedAddress: RefusalCheck<LimitedNic> = {
	reason: 'NotAllowed',
	when: 'a desired address is in a pod network or in a network of `runs.protectedNetworks`',
	see: SEE,
	find({ nic, limits }) {
		const ips = cidrsOf(nic).map(ipOf)
		for (const { network, what, mayHoldAddresses } of limits.protectedNetworks) {
			const ip = mayHoldAddresses ? undefined : ips.find(one => contains(network, one))
			if (ip !== undefined) return { says: `${nic.name} requests ${ip}, which is in ${network}, ${what}` }
		}
	},
}

/** Run in order: the first check that finds a cause refuses the interface, regardless of the state of the host. */
export const limitChecks: readonly RefusalCheck<LimitedNic>[] = [
	requestsDefaultRoute,
	wantsProtectedAddress,
	routesHalfOfEverything,
	routesToProtected,
	routesToUnlisted,
]

/** @returns id → why the chart does not allow this interface */
export function notAllowed(interfaces: readonly WantedInterface[], limits: Limits): Map<number, Refusal> {
	return new Map(
		interfaces.flatMap(nic => {
			const refusal = firstRefusal(limitChecks, { nic, limits })
			return refusal ? [[nic.id, refusal] as const] : []
		}),
	)
}

type LimitSettings = Pick<RunConfig, 'allowMainTableRoutes' | 'allowDefaultRoute' | 'protectedNetworks' | 'podNetworks' | 'nodeAddresses'>

/**
 * @param apiServer host of the API server; ignored unless it is an IP address
 * @returns the limits of a run
 */
export function limitsOf(settings: LimitSettings, apiServer: string | undefined): Limits {
	const { allowMainTableRoutes = [], allowDefaultRoute = false, protectedNetworks = [], podNetworks = [], nodeAddresses } = settings
	const alone = (ip: string, what: string): Protected[] => (parseIp(ip) ? [{ network: `${ip}/${full(ip)}`, what }] : [])
	return {
		allowMainTableRoutes,
		allowDefaultRoute,
		protectedNetworks: [
			...protectedNetworks.map(network => ({ network: networkOf(network), what: 'a network of runs.protectedNetworks' })),
			...podNetworks.map(network => ({ network: networkOf(network), what: 'a pod network' })),
			...LINK_LOCAL.map(network => ({ network, what: 'which is link-local', mayHoldAddresses: true as const })),
		],
		own: [...nodeAddresses.flatMap(ip => alone(ip, 'this node')), ...(apiServer === undefined ? [] : alone(apiServer, 'the API server'))],
	}
}

/** @returns the routes that an interface requests outside its own table; all of them if it has no table */
export function routesBesideOwnTable(nic: WantedInterface): ForeignTableRoute[] {
	const own = nic.policyRouting ? tableOf(nic.id, basesOf(nic)) : undefined
	return (nic.routes ?? []).flatMap(({ to, table = own ?? MAIN }) => (table === own ? [] : [{ to: networkOf(to), table }]))
}

function routeText({ to, table }: ForeignTableRoute): string {
	return `the route to ${to} in ${familyOf(to) === 6 ? 'IPv6 ' : ''}table ${tableWord(table)}`
}
