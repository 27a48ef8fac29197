import * as z from 'zod'
import { StoredInterface } from './interface.ts'
import { NodeConfigStatus, State } from './node-config.ts'
import { portSteps } from './port-steps.ts'
import { Timestamp } from './primitives.ts'
import { Owner } from './viola-api.ts'

/** The responses of the inventory API. */

export const INVENTORY_PATH = '/v1/inventory'
/** The paths of the Go operator. Their responses have the same form as those of the Go operator. */
export const INTERFACES_PATH = '/v1/interfaces'

export const InventoryState = z.enum(['Pending', 'InProgress', 'Configured', 'Failed', 'Removing', 'Removed'])
export type InventoryState = z.infer<typeof InventoryState>

const Subnet = z.object({
	id: z.string(),
	name: z.string(),
	cidr: z.string(),
	networkId: z.string(),
	networkName: z.string().optional(),
	mtu: z.int().optional(),
})

/** A port and its NIC. */
export const Nic = z.object({
	providerId: z.string(),
	nodeName: z.string(),
	id: z.int(),
	name: z.string().describe('Name on the node: multinic0 to multinic9'),
	portId: z.string().optional(),
	macAddress: z.string(),
	address: z.string().optional(),
	subnet: Subnet.optional(),
	state: State.describe('As the node last reported it'),
	reason: z.string(),
	message: z.string(),
	seenAt: Timestamp.describe('When mgmt first read the port'),
	sentAt: Timestamp.optional().describe('When viola accepted it'),
	startedAt: Timestamp.optional().describe('When a run started on the node'),
	settledAt: Timestamp.optional().describe('When that run reported the NIC'),
})
export type Nic = z.infer<typeof Nic>

const Report = z.object({
	deleting: z.boolean(),
	generation: z.int(),
	resourceVersion: z.string(),
	lastManager: z.string().optional(),
	status: NodeConfigStatus.optional(),
})

/** What is known about the node config of one node. */
export const InventoryNode = z
	.object({
		providerId: z.string(),
		nodeName: z.string(),
		instanceId: z.string().optional(),
		owner: Owner.optional(),
		state: InventoryState,
		reason: z.string(),
		letters: z.string().describe('One letter per interface: C configured, I in progress, P pending, F failed'),
		hash: z.string().describe('sha256 of the canonical interfaces'),
		revision: z.int(),
		createdAt: Timestamp,
		changedAt: Timestamp,
		sentAt: Timestamp.optional(),
		removedAt: Timestamp.optional(),
		interfaces: z.array(StoredInterface).describe('As in force in the biz cluster'),
		nics: z.array(Nic),
		report: Report.optional().describe('As the biz cluster last reported it'),
	})
	.describe('The node config')
export type InventoryNode = z.infer<typeof InventoryNode>

export const ChangeEntry = z.object({
	seq: z.int().describe('Increases with every change'),
	at: Timestamp,
	providerId: z.string(),
	nodeName: z.string(),
	nic: z.int().optional(),
	portId: z.string().optional(),
	kind: z.string(),
	actor: z.object({ kind: z.string(), name: z.string() }).describe('What caused the change'),
	reason: z.string(),
	message: z.string(),
	difference: z.record(z.string(), z.array(z.unknown())).describe('Field: [before, after]'),
})
export type ChangeEntry = z.infer<typeof ChangeEntry>

/** The path of one port to its NIC. */
export const PortPath = z.object({
	nic: Nic,
	step: z.enum(portSteps).describe('The last step that the port has reached'),
	since: Timestamp,
	reason: z.string(),
	message: z.string(),
	steps: z.array(z.object({ step: z.enum(portSteps), meaning: z.string(), at: Timestamp.optional() })),
})
export type PortPath = z.infer<typeof PortPath>

export const PortReport = z
	.object({
		portId: z.string(),
		paths: z.array(PortPath).describe('One for each biz cluster that has the port; empty if the port is gone'),
		changes: z.array(ChangeEntry).describe('The last changes, newest first'),
	})
	.describe('The port')
export type PortReport = z.infer<typeof PortReport>

export const Hit = z.object({
	kind: z.enum(['node', 'nic']),
	providerId: z.string(),
	nodeName: z.string(),
	instanceId: z.string().optional(),
	nic: Nic.optional(),
	matched: z.string().describe('The value that matches'),
})
export type Hit = z.infer<typeof Hit>

/** Responses of the Go operator. */
export const GoNode = z.object({
	providerId: z.string(),
	nodeName: z.string(),
	instanceId: z.string(),
	interfaceCount: z.int(),
	updatedAt: Timestamp,
})
export const GoProviders = z
	.object({
		providers: z.array(z.object({ providerId: z.string(), nodeCount: z.int(), updatedAt: Timestamp, nodes: z.array(GoNode) })),
	})
	.describe('The providers')
export type GoProviders = z.infer<typeof GoProviders>
export const GoRecord = z.object({
	providerId: z.string(),
	nodeName: z.string(),
	instanceId: z.string(),
	config: z.object({ nodeName: z.string(), instanceId: z.string(), interfaces: z.array(StoredInterface) }),
	lastConfigHash: z.string(),
	updatedAt: Timestamp,
})
export type GoRecord = z.infer<typeof GoRecord>
