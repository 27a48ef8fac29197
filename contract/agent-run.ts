import * as z from 'zod'
import { Interface, Interfaces, Route } from './interface.ts'
import { Observed, State } from './node-config.ts'
import { Id, Ip, NodeName } from './primitives.ts'
import { Reason } from './reasons.ts'

/** What a run is handed (`config.json`) and what it hands back (`report.json`), both in the run's ConfigMap. */

const Identity = z.object({
	nodeName: NodeName,
	uid: Id.min(1).describe('uid of the node config'),
	generation: z.int().min(0),
	attempt: z.int().min(1),
})

/** As an object of Kubernetes is named; it becomes part of a URL. */
const ObjectName = z
	.string()
	.max(253)
	.regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'must be the name of a Kubernetes object')

const Run = z.object({
	...Identity.shape,
	mode: z.enum(['Apply', 'Plan', 'Verify', 'Cleanup']),
	report: z.strictObject({ namespace: ObjectName, configMap: ObjectName }),
})

/** Which run this is and where its report goes. The Job tells it beside the config, so that the two can be held against each other. */
export const RunMark = z.strictObject(Run.shape)
export type RunMark = z.infer<typeof RunMark>

/** A field that nobody knows may be one that somebody relies on. */
const ToldInterface = Interface.safeExtend({ routes: z.array(Route.strict()).max(16).optional() }).strict()

export const RunConfig = z.strictObject({
	...Run.shape,
	version: z.literal(1),
	interfaces: z.array(ToldInterface).pipe(Interfaces),
	nodeAddresses: z.array(Ip).max(64).describe("The node's InternalIPs: the link that holds one is never touched"),
	waitForDeviceSeconds: z.number().min(0).max(60),
	deadManSeconds: z.number().min(10).max(600).describe('The host puts everything back unless the run commits within this time'),
})
export type RunConfig = z.infer<typeof RunConfig>

export const InterfaceReport = z.object({
	id: z.int(),
	name: z.string(),
	macAddress: z.string(),
	state: State,
	reason: Reason,
	message: z.string(),
	changes: z.int().min(0),
	observed: Observed.optional(),
	warnings: z.array(z.object({ reason: Reason, message: z.string() })),
})
export type InterfaceReport = z.infer<typeof InterfaceReport>

export const Probe = z.object({ name: z.string(), ok: z.boolean(), milliseconds: z.number(), message: z.string().optional() })
export type Probe = z.infer<typeof Probe>

export const Machine = z.object({
	os: z.string().describe('PRETTY_NAME of os-release(5)'),
	kernel: z.string(),
	virtualization: z.string().describe('As systemd-detect-virt(1) says it: kvm, vmware, none …; unknown'),
	cpus: z.int().min(1).describe('CPUs the kernel uses'),
	memoryMiB: z.int().min(0),
})
export type Machine = z.infer<typeof Machine>

export const AgentReport = z.object({
	...Identity.shape,
	version: z.literal(1),
	mode: RunConfig.shape.mode,
	outcome: z.enum(['Succeeded', 'PartlyFailed', 'Failed', 'RolledBack']),
	reason: Reason,
	message: z.string(),
	backend: z.string().optional(),
	machine: Machine.optional(),
	persistent: z.object({ status: z.enum(['True', 'False', 'Unknown']), message: z.string() }),
	started: z.string().describe('RFC 3339'),
	finished: z.string().describe('RFC 3339'),
	milliseconds: z.record(z.string(), z.number()).describe('Phase (observe, apply, verify, probe …) → its duration'),
	changes: z.int().min(0),
	interfaces: z.array(InterfaceReport),
	probes: z.object({ before: z.array(Probe), after: z.array(Probe) }),
	notes: z.array(z.string()).optional().describe('What the run could not find out, and why'),
	plan: z.object({ commands: z.array(z.string()), files: z.array(z.string()) }).optional(),
})
export type AgentReport = z.infer<typeof AgentReport>
