import * as z from 'zod'
import { isInside, parseCidr } from './ip.ts'
import { Cidr } from './primitives.ts'

/**
 * What the chart lets node configs ask for beside the own table of an interface. The main table belongs to the node: whoever may only write
 * node configs must not send its packets elsewhere.
 */

/** Prefixes in a list of the chart. */
const PREFIXES_MAX = 32
/** Of the chart, and of a Node, which has one a family; a list that is longer is cut. */
export const POD_NETWORKS_MAX = 8

/** Each link has a network of its own in these, and the metadata service is in the first. */
export const LINK_LOCAL = ['169.254.0.0/16', 'fe80::/10'] as const

/** A prefix within which routes may be allowed: neither a default route or half of one, nor link-local. */
export const AllowedPrefix = Cidr.superRefine((text, context) => {
	const prefix = parseCidr(text)
	if (!prefix) return // told already
	if (prefix.length < 2) context.addIssue({ code: 'custom', message: 'must not be a default route or half of one' })
	else if (LINK_LOCAL.some(network => isInside(text, network))) context.addIssue({ code: 'custom', message: 'must not be link-local' })
})

export const AllowedPrefixes = z.array(AllowedPrefix).max(PREFIXES_MAX)
export const ProtectedNetworks = z.array(Cidr).max(PREFIXES_MAX)
/** Neither a default route nor half of one: the rules of ours that lead there come before those of the interfaces. */
const PodNetwork = Cidr.refine(text => (parseCidr(text)?.length ?? 2) > 1, 'must not be a default route or half of one')
export const PodNetworks = z.array(PodNetwork).max(POD_NETWORKS_MAX)

/** As values of the chart, and in a run's config. */
export type ChartLimits = Readonly<{
	/** Prefixes within which routes may be in other tables than the interface's own. */
	allowMainTableRoutes: readonly string[]
	allowDefaultRoute: boolean
	/** Networks to which no route of ours leads outside the own table of the interface: of services, of pods, of others. */
	protectedNetworks: readonly string[]
	/** Pod networks, in addition to spec.podCIDRs of the Nodes. */
	podNetworks: readonly string[]
}>
