import * as z from 'zod'
import { Interface, Interfaces, StoredInterface } from './interface.ts'
import { NodeConfigStatus } from './node-config.ts'
import { Id, NodeName } from './primitives.ts'

/** What mgmt sends to viola, and what viola answers. */

export const NODE_CONFIGS_PATH = '/v1/k8s/multinic/node-configs'
/** Names the biz cluster (k8sProviderID). */
export const PROVIDER_HEADER = 'x-provider-id'

/** Older clients send mtu 0 and cidr "" for what they do not know, and leave out the id, which then is the position. */
const SentInterface = z.preprocess(dropUnknowns, Interface)

/** A list counted 1–10 would be refused field by field; what its sender must hear is that ids count from 0. */
const SentInterfaces = z
	.array(z.unknown())
	.superRefine((nics, ctx) => {
		if (nics.some(nic => isRecord(nic) && nic.id === 10))
			ctx.addIssue({ code: 'custom', message: 'ids count from 0 to 9 (multinic0 to multinic9); this list counts from 1 to 10' })
	})
	.pipe(z.array(SentInterface))
	.pipe(Interfaces)
	.transform(nics => nics.map((nic, position) => ({ ...nic, id: nic.id ?? position })))

/** One node of a POST. Parsed one by one, so that a bad node never spoils the others. */
export const NodeConfigRequest = z.object({
	nodeName: z.string().toLowerCase().pipe(NodeName),
	instanceId: Id.optional(),
	interfaces: SentInterfaces,
})
export type NodeConfigRequest = z.infer<typeof NodeConfigRequest>

export const NodeResult = z.object({ nodeName: z.string(), status: z.enum(['created', 'updated', 'unchanged']), generation: z.int() })
export type NodeResult = z.infer<typeof NodeResult>

export const NodeError = z.object({ nodeName: z.string(), code: z.string(), message: z.string() })
export type NodeError = z.infer<typeof NodeError>

/** 200 when at least one node was applied, else 422 (all refused) or 503 (cluster not reached), always with this body. */
export const NodeConfigsResponse = z.object({
	applied: z.int(),
	results: z.array(NodeResult),
	errors: z.array(NodeError),
})
export type NodeConfigsResponse = z.infer<typeof NodeConfigsResponse>

/** GET: what is in force in the biz cluster, with what its controller says of it. */
export const NodeConfigView = z.object({
	nodeName: z.string(),
	instanceId: z.string().optional(),
	providerId: z.string().optional(),
	generation: z.int(),
	interfaces: z.array(StoredInterface),
	status: NodeConfigStatus.optional(),
})
export type NodeConfigView = z.infer<typeof NodeConfigView>
export const NodeConfigList = z.object({ items: z.array(NodeConfigView) })
export type NodeConfigList = z.infer<typeof NodeConfigList>

function dropUnknowns(nic: unknown): unknown {
	if (!isRecord(nic)) return nic
	return Object.fromEntries(Object.entries(nic).filter(([key, value]) => value !== null && value !== '' && !(key === 'mtu' && value === 0)))
}

function isRecord(value: unknown): value is Record<string, unknown> {
	return typeof value === 'object' && value !== null && !Array.isArray(value)
}
