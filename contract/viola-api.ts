import * as z from 'zod'
import { listOf } from './bounded.ts'
import { Interface, Interfaces, StoredInterface } from './interface.ts'
import { MAX_INTERFACES } from './names.ts'
import { NodeConfigStatus } from './node-config.ts'
import { Id, NodeName, SentNodeName } from './primitives.ts'

/** What mgmt sends to viola, and what viola responds. */

/** The query of a POST. */
export const PostQuery = z.strictObject({
	dryRun: z.enum(['true', 'false']).default('false').describe('true: return what would be done, and write nothing'),
})

export const NODE_CONFIGS_PATH = '/v1/k8s/multinic/node-configs'
/** The header that names the biz cluster (k8sProviderID). */
export const PROVIDER_HEADER = 'x-provider-id'

/** Older clients send mtu 0 and cidr "" for unknown values. */
const SentInterface = z.preprocess(dropUnknowns, Interface)

/** Maximum length of any list in an interface, such as routes. */
const LIST_MAX = 16

/**
 * Without the check for id 10, a list with ids 1 to 10 would be rejected field by field, and no message would mention that ids start at 0.
 */
const SentInterfaces = z
	.array(z.unknown())
	.max(MAX_INTERFACES)
	.superRefine((nics, ctx) => {
		// checked before the items are validated, because each invalid item would be reported as a separate fault
		for (const [at, nic] of nics.entries())
			for (const [key, value] of Object.entries(isRecord(nic) ? nic : {}))
				if (Array.isArray(value) && value.length > LIST_MAX)
					ctx.addIssue({ code: 'custom', path: [at, key], message: `must have at most ${LIST_MAX} items` })
		if (nics.some(nic => isRecord(nic) && nic.id === 10))
			ctx.addIssue({ code: 'custom', message: 'ids are 0 to 9 (multinic0 to multinic9); this list starts at 1' })
	})
	.transform(withIds)
	.pipe(z.array(SentInterface))
	.pipe(Interfaces)
	.transform(nics => nics.map((nic, position) => ({ ...nic, id: nic.id ?? position })))

/** The OpenstackConfig from which a node config comes. */
export const Owner = z.object({
	namespace: z
		.string()
		.max(63)
		.regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, 'must be the name of a namespace'),
	name: z
		.string()
		.max(253)
		.regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'must be the name of a Kubernetes object'),
	uid: z
		.string()
		.max(63)
		.regex(/^[A-Za-z0-9-]+$/, 'must be the uid of a Kubernetes object'),
})
export type Owner = z.infer<typeof Owner>

/** One node in a POST. Nodes are parsed one by one, so that an invalid node does not affect the others. */
export const NodeConfigRequest = z.object({
	nodeName: SentNodeName,
	instanceId: Id.optional(),
	interfaces: SentInterfaces,
	owner: Owner.optional().describe('The OpenstackConfig that sends it; without it, the stored owner stays'),
})
export type NodeConfigRequest = z.infer<typeof NodeConfigRequest>

export const NodeResult = z.object({ nodeName: z.string(), status: z.enum(['created', 'updated', 'unchanged']), generation: z.int() })
export type NodeResult = z.infer<typeof NodeResult>

export const NodeError = z.object({ nodeName: z.string(), code: z.string(), message: z.string() })
export type NodeError = z.infer<typeof NodeError>

/**
 * The body of every response to a POST. The status is 200 if all nodes were applied, 503 if at least one of the failed nodes may be applied
 * later, and 422 if sending the failed nodes again unchanged cannot succeed.
 */
export const NodeConfigsResponse = z.object({
	applied: z.int(),
	results: listOf(NodeResult, 10_000),
	errors: listOf(NodeError, 10_000),
	dryRun: z.literal(true).optional().describe('Nothing was written; the results show what would have been done'),
})
export type NodeConfigsResponse = z.infer<typeof NodeConfigsResponse>

/** Maximum length of the name of a field manager, which is that of Kubernetes. */
export const MANAGER_MAX = 128

/** An item of a GET: a node config in the biz cluster, with the status from its controller. */
export const NodeConfigView = z.object({
	nodeName: NodeName,
	providerId: Id.optional(),
	instanceId: Id.optional(),
	interfaces: listOf(StoredInterface, MAX_INTERFACES),
	owner: Owner.optional(),
	deleting: z.boolean().describe('Whether it is being deleted: its NICs are being removed'),
	generation: z.int(),
	resourceVersion: z
		.string()
		.max(20)
		.regex(/^[0-9]*$/, 'must be a number'),
	lastManager: z.string().max(MANAGER_MAX).optional().describe('The field manager of the last write of the spec'),
	status: NodeConfigStatus.optional().describe('As the controller of the biz cluster wrote it'),
})
export type NodeConfigView = z.infer<typeof NodeConfigView>

/** The body of a GET of the list. */
export const NodeConfigList = z.object({ items: listOf(NodeConfigView, 100_000) })
export type NodeConfigList = z.infer<typeof NodeConfigList>

/** Names of the events of the stream. `docs/api.md` says what a reader does with them. */
export const NODE_CONFIG_EVENT = 'node-config'
export const DELETED = 'deleted'
export const SYNCED = 'synced'
export const RESET = 'reset'

/** The data of an event `deleted`. The data of `node-config` is a `NodeConfigView`, and that of `synced` and `reset` is `{}`. */
export const NodeConfigDeleted = z.object({ nodeName: NodeName })
export type NodeConfigDeleted = z.infer<typeof NodeConfigDeleted>

/**
 * Sets missing ids. Older clients omit an id of 0, which is then taken from the name, or all ids, which are then the positions in the list.
 */
function withIds(nics: readonly unknown[]): unknown[] {
	const isCounted = nics.some(nic => isRecord(nic) && typeof nic.id === 'number')
	return nics.map(nic =>
		isCounted && isRecord(nic) && (nic.id === undefined || nic.id === null) ? { ...nic, id: idInName(nic.name) } : nic,
	)
}

function idInName(name: unknown): number | undefined {
	const [, digit] = (typeof name === 'string' && /^multinic(\d)$/.exec(name)) || []
	return digit === undefined ? undefined : Number(digit)
}

function dropUnknowns(nic: unknown): unknown {
	if (!isRecord(nic)) return nic
	return Object.fromEntries(Object.entries(nic).filter(([key, value]) => value !== null && value !== '' && !(key === 'mtu' && value === 0)))
}

function isRecord(value: unknown): value is Record<string, unknown> {
	return typeof value === 'object' && value !== null && !Array.isArray(value)
}
