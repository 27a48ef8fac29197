import * as z from 'zod'
import { RouteTableBase, RulePriorityBase } from './bases.ts'
import { Interface, Interfaces, Route } from './interface.ts'
import { AllowedPrefixes, POD_NETWORKS_MAX, ProtectedNetworks } from './chart-limits.ts'
import { Cidr, Id, Ip, NodeName } from './primitives.ts'

/**
 * The input of a run (`config.json`). It is a separate file because the agent parses nothing else, and what the agent does not load costs
 * it no time or memory.
 */

export const Identity = z.object({
	nodeName: NodeName,
	uid: Id.min(1).describe('uid of the node config'),
	generation: z.int().min(0),
	attempt: z.int().min(1),
})

/** The name of a Kubernetes object. It becomes part of a URL. */
const ObjectName = z
	.string()
	.max(253)
	.regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'must be the name of a Kubernetes object')

const Run = z.object({
	...Identity.shape,
	mode: z.enum(['Apply', 'Plan', 'Verify', 'Cleanup']),
	report: z.strictObject({ namespace: ObjectName, configMap: ObjectName }),
})

/** Identifies a run and the destination of its report. It is in the Job as well as in the config, so that the agent can compare the two. */
export const RunMark = z.strictObject(Run.shape)
export type RunMark = z.infer<typeof RunMark>

/** Rejects unknown fields, because the sender may rely on a field that this version does not support. */
const ToldInterface = Interface.safeExtend({ routes: z.array(Route.strict()).max(16).optional() }).strict()

export const RunConfig = z.strictObject({
	...Run.shape,
	version: z.literal(1),
	interfaces: z.array(ToldInterface).pipe(Interfaces),
	nodeAddresses: z.array(Ip).max(64).describe('InternalIPs of the node; a link with one of them is never changed'),
	routeTableBase: RouteTableBase.optional().describe('First of the ten route tables; default 100'),
	rulePriorityBase: RulePriorityBase.optional().describe('First of the ten rule priorities; default 10000'),
	allowMainTableRoutes: AllowedPrefixes.optional().describe(
		"Prefixes of routes that may be outside the interface's own table; default none",
	),
	allowDefaultRoute: z.boolean().optional().describe('default false'),
	protectedNetworks: ProtectedNetworks.optional().describe("Networks that only routes in the interface's own table may contain"),
	podNetworks: z
		.array(Cidr)
		.max(2 * POD_NETWORKS_MAX)
		.optional()
		.describe('Pod networks: those of the chart and spec.podCIDRs of the Node'),
	waitForDeviceSeconds: z.number().min(0).max(60),
	commitTimeoutSeconds: z.number().min(10).max(600).describe('The host rolls back unless the run commits within this time'),
})
export type RunConfig = z.infer<typeof RunConfig>
