import * as z from 'zod'
import { Conditions, MESSAGE_MAX } from './conditions.ts'
import { Interfaces } from './interface.ts'
import { Id, NodeName, Timestamp } from './primitives.ts'

/** MultiNicNodeConfig: the desired interfaces of one node (spec: viola or users) and their status (status: controller). */

export const Mode = z.enum(['Apply', 'Plan'])
export type Mode = z.infer<typeof Mode>

export const State = z.enum(['Pending', 'InProgress', 'Configured', 'Failed'])
export type State = z.infer<typeof State>

export const NodeConfigSpec = z.object({
	nodeName: NodeName.describe('Name of the Kubernetes node; must equal metadata.name'),
	interfaces: Interfaces.describe('0 to 10 NICs; [] removes all. Without ids, the position is the id'),
	providerId: Id.optional().describe('Biz cluster (k8sProviderID)'),
	instanceId: Id.optional().describe('VM of the node in OpenStack'),
	specHash: z.string().max(64).optional().describe('sha256 of the canonical interfaces, set by the sender; informational'),
	paused: z.boolean().optional().describe('true: start no runs'),
	mode: Mode.optional().describe('Plan: report the changes without making them; default Apply'),
})
export type NodeConfigSpec = z.infer<typeof NodeConfigSpec>

export const Observed = z.object({
	link: z.string().max(15).optional().describe('Current kernel name of the link'),
	mtu: z.int().min(0).optional(),
	up: z.boolean().optional(),
	addresses: z.array(z.string().max(49)).max(4).optional(),
})
export type Observed = z.infer<typeof Observed>

export const InterfaceStatus = z.object({
	id: z.int().min(0),
	name: z.string().max(15),
	macAddress: z.string().max(17),
	status: State,
	reason: z.string().max(64),
	message: z.string().max(MESSAGE_MAX),
	lastConfigured: Timestamp.optional(),
	observed: Observed.optional(),
})
export type InterfaceStatus = z.infer<typeof InterfaceStatus>

export const HistoryEntry = z.object({
	generation: z.int().min(0),
	job: z.string().max(63),
	started: Timestamp,
	seconds: z.number().min(0),
	changes: z.int().min(0),
	result: State,
	cause: z.string().max(64).optional().describe('Why the run started'),
	failureReason: z.string().max(64).optional().describe('Why the run failed; absent if it succeeded'),
})
export type HistoryEntry = z.infer<typeof HistoryEntry>

export const NodeConfigStatus = z.object({
	observedGeneration: z.int().min(0).optional(),
	observedSpecHash: z.string().max(64).optional(),
	lastProcessed: Timestamp.optional(),
	lastJobName: z.string().max(63).optional(),
	state: State.optional(),
	interfaces: z.string().max(7).optional().describe('Configured and desired interfaces, such as 2/2'),
	backend: z.string().max(32).optional(),
	bootID: z.string().max(64).optional().describe('Boot id of the node at the last run'),
	conditions: Conditions.optional(),
	interfaceStatuses: z.array(InterfaceStatus).max(10).optional(),
	history: z.array(HistoryEntry).max(5).optional(),
})
export type NodeConfigStatus = z.infer<typeof NodeConfigStatus>

export const NodeConfig = z.object({ spec: NodeConfigSpec, status: NodeConfigStatus.optional() }).meta({
	'x-kubernetes-validations': [
		{
			rule: 'self.metadata.name == self.spec.nodeName',
			message: 'spec.nodeName must equal metadata.name: one node has one node config',
			fieldPath: '.spec.nodeName',
		},
	],
})
export type NodeConfig = z.infer<typeof NodeConfig>
