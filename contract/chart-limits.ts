import * as z from 'zod'
import { isInside, parseCidr } from './ip.ts'
import { Cidr } from './primitives.ts'

/**
 * Limits that the chart sets on what node configs may request outside the interface's own route table. The main table belongs to the node:
 * a user who may only write node configs must not redirect the node's packets.
 */

/** Maximum number of prefixes in a list of the chart. */
const PREFIXES_MAX = 32
/** Maximum number of pod networks of the chart, and of a Node, which has one per family; a longer list of a Node is truncated. */
export const POD_NETWORKS_MAX = 8

/** Each link has a separate network in these, and the metadata service is in the first. */
export const LINK_LOCAL = ['169.254.0.0/16', 'fe80::/10'] as const

/** A prefix within which the chart may allow routes: neither a default route or half of one, nor link-local. */
export const AllowedPrefix = Cidr.superRefine((text, context) => {
	const prefix = parseCidr(text)
	if (!prefix) return // already reported
	if (prefix.length < 2) context.addIssue({ code: 'custom', message: 'must not be a default route or half of one' })
	else if (LINK_LOCAL.some(network => isInside(text, network))) context.addIssue({ code: 'custom', message: 'must not be link-local' })
})

export const AllowedPrefixes = z.array(AllowedPrefix).max(PREFIXES_MAX)
export const ProtectedNetworks = z.array(Cidr).max(PREFIXES_MAX)
/** Neither a default route nor half of one: MultiNIC's rules for these networks precede those of the interfaces. */
const PodNetwork = Cidr.refine(text => (parseCidr(text)?.length ?? 2) > 1, 'must not be a default route or half of one')
export const PodNetworks = z.array(PodNetwork).max(POD_NETWORKS_MAX)

/** The limits as values of the chart, and in a run's config. */
export type ChartLimits = Readonly<{
	/** Prefixes within which routes may be in tables other than the interface's own. */
	allowMainTableRoutes: readonly string[]
	allowDefaultRoute: boolean
	/** Networks (of Services, pods and others) that MultiNIC's routes only reach in the interface's own table. */
	protectedNetworks: readonly string[]
	/** Pod networks, in addition to spec.podCIDRs of the Nodes. */
	podNetworks: readonly string[]
}>
