import * as z from 'zod'
import { MAX_INTERFACES, REPORT_COUNTS } from './names.ts'
import { Observed, State } from './node-config.ts'
import { Reason } from './reasons.ts'
import { listOf, tableOf } from './bounded.ts'
import { Identity, RunConfig } from './run-config.ts'

/** The report of a run (`report.json`), read by the controller that wrote the run's config; both are in the run's ConfigMap. */

export { RunConfig, RunMark } from './run-config.ts'

/**
 * Effect of a plan on traffic. `Blip`: traffic stops for a moment; `AddressLost`: an existing address is removed, even if only for a
 * moment.
 */
export const Disruption = z.object({ class: z.enum(['None', 'Blip', 'AddressLost']), because: z.string() })
export type Disruption = z.infer<typeof Disruption>

const attributes = ['name', 'altname', 'mtu', 'state', 'address', 'route', 'rule', 'sysctl', 'file', 'manager'] as const

/** One difference from the desired state. */
export const Drift = z.object({
	attribute: z.enum(attributes),
	of: z.string().optional().describe('Which sysctl, which file'),
	link: z.string().optional().describe('Kernel name of the link, if the entry belongs to no interface'),
	wanted: z.string().describe('none: must not exist'),
	found: z.string().describe('missing: does not exist'),
})
export type Drift = z.infer<typeof Drift>

/** What a run of mode Plan would do. */
export const PlannedDiff = z.object({
	commands: listOf(z.string(), REPORT_COUNTS.commands).describe('All commands in order, as for ip(8), sysctl(8) …'),
	links: tableOf(z.string(), REPORT_COUNTS.links).describe('Name of a link in the commands (if7) → its current name'),
	files: listOf(
		z.object({
			path: z.string(),
			action: z.enum(['create', 'change', 'remove']),
			mode: z.string().optional().describe('Octal'),
			bytes: z.int().optional(),
			content: z.string().optional().describe('Omitted if it may contain secrets, or is too long'),
		}),
		REPORT_COUNTS.files,
	),
	disruption: Disruption,
})
export type PlannedDiff = z.infer<typeof PlannedDiff>

/** The maximum is more than any node has; it bounds the counter that sums the values. */
const Changes = z.int().min(0).max(100_000)

export const InterfaceReport = z.object({
	id: z.int(),
	name: z.string(),
	macAddress: z.string(),
	state: State,
	reason: Reason,
	message: z.string(),
	changes: Changes,
	observed: Observed.extend({ addresses: listOf(z.string().max(49), REPORT_COUNTS.addresses).optional() }).optional(),
	warnings: listOf(z.object({ reason: Reason, message: z.string() }), REPORT_COUNTS.warnings),
	done: listOf(z.string(), REPORT_COUNTS.done).optional().describe('Changes made, one short phrase each'),
	drift: listOf(Drift, REPORT_COUNTS.drift).optional().describe('Mode Verify: drift of the interface'),
	disruption: Disruption.optional().describe('Mode Plan'),
})
export type InterfaceReport = z.infer<typeof InterfaceReport>

/** One day: longer than any run. */
const MILLISECONDS_MAX = 86_400_000

const NotRemoved = InterfaceReport.pick({ name: true, macAddress: true, reason: true, message: true })
export type NotRemoved = z.infer<typeof NotRemoved>

export const Probe = z.object({
	name: z.string(),
	ok: z.boolean(),
	milliseconds: z.number().min(0).max(MILLISECONDS_MAX),
	message: z.string().optional(),
})
export type Probe = z.infer<typeof Probe>

export const Machine = z.object({
	os: z.string().describe('PRETTY_NAME of os-release(5)'),
	kernel: z.string(),
	virtualization: z.string().describe('As printed by systemd-detect-virt(1): kvm, vmware, none …; otherwise unknown'),
	cpus: z.int().min(1).describe('Online CPUs'),
	memoryMiB: z.int().min(0),
	bootID: z.string().max(64).optional().describe('Boot id, the same as the kubelet reports'),
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
	milliseconds: tableOf(z.number().min(0).max(MILLISECONDS_MAX), REPORT_COUNTS.phases).describe(
		'Phase (observe, apply, verify, probe …) → its duration',
	),
	changes: Changes,
	interfaces: listOf(InterfaceReport, MAX_INTERFACES),
	notRemoved: listOf(NotRemoved, REPORT_COUNTS.removals).optional().describe('NICs of removed interfaces that are left unchanged, and why'),
	probes: z.object({ before: listOf(Probe, REPORT_COUNTS.probes), after: listOf(Probe, REPORT_COUNTS.probes) }),
	notes: listOf(z.string(), REPORT_COUNTS.notes).optional().describe('What the run could not determine, and why'),
	plan: PlannedDiff.optional(),
	drift: listOf(Drift, REPORT_COUNTS.drift).optional().describe('Mode Verify: leftovers of removed interfaces, and drift of host files'),
	unfinished: z.string().optional().describe('A run that ended before its commit; the next run that changes the node rolls it back first'),
})
export type AgentReport = z.infer<typeof AgentReport>
