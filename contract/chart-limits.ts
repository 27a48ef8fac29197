import * as z from 'zod'
import { isInside, parseCidr } from './ip.ts'
import { Cidr } from './primitives.ts'

/**
 * Limits that the chart sets on what node configs may request outside the route table of the interface. The main table belongs to the node:
 * a user who may only write node configs must not be able to redirect the node's packets.
 */

/** Maximum number of prefixes in each list of the chart. */
const PREFIXES_MAX = 32
/** Maximum number of pod networks in the chart, and per Node. A Node has one per IP family; a longer list is truncated. */
export const POD_NETWORKS_MAX = 8

/** The link-local networks, which exist separately on each link. The first contains the metadata service. */
export const LINK_LOCAL = ['169.254.0.0/16', 'fe80::/10'] as const

/** A prefix within which the chart may allow routes. It must not be a default route, half of one, or link-local. */
export const AllowedPrefix = Cidr.superRefine((text, context) => {
	const prefix = parseCidr(text)
	if (!prefix) return // already reported
	if (prefix.length < 2) context.addIssue({ code: 'custom', message: 'must not be a default route or half of one' })
	else if (LINK_LOCAL.some(network => isInside(text, network))) context.addIssue({ code: 'custom', message: 'must not be link-local' })
})

export const AllowedPrefixes = z.array(AllowedPrefix).max(PREFIXES_MAX)
export const ProtectedNetworks = z.array(Cidr).max(PREFIXES_MAX)
/** Must not be a default route or half of one, because MultiNIC's rules for pod networks precede the rules of the interfaces. */
const PodNetwork = Cidr.refine(text => (parseCidr(text)?.length ?? 2) > 1, 'must not be a default route or half of one')
export const PodNetworks = z.array(PodNetwork).max(POD_NETWORKS_MAX)

/** The limits, as in the values of the chart and in the config of a run. */
export type ChartLimits = Readonly<{
	/** Prefixes within which routes may be in tables other than the interface's own. */
	allowMainTableRoutes: readonly string[]
	allowDefaultRoute: boolean
	/** Networks (of Services, pods and others) to which MultiNIC's routes lead only in the interface's own table. */
	protectedNetworks: readonly string[]
	/** Pod networks, in addition to spec.podCIDRs of the Nodes. */
	podNetworks: readonly string[]
}>
