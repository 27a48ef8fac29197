import type { HostState } from '../model/host-state.ts'
import type { Log } from '../model/run-log.ts'
import type { Plan } from '../plan/plan.ts'
import type { Wanted } from '../plan/wanted.ts'
import type { NodePath } from '../probe/node-paths.ts'
import type { PacketRoutes } from '../probe/packet-routes.ts'
import type { Probes } from '../report/outcome.ts'
import type { Armed } from '../rollback/arm.ts'
import type { Host } from './host.ts'

export type AttemptInput = {
	wanted: Wanted & Required<Pick<Wanted, 'kept' | 'needed'>>
	host: Host
	log: Log
	tag: string
	commitTimeoutSeconds: number
	apiServer: { host: string; port: number } | undefined
	/** Called with the plan before the attempt acts on it. */
	planned(plan: Plan, state: HostState): void
	/** Whether the run is read-only: modes Plan and Verify. */
	isDry: boolean
	/** Whether to probe the interfaces' own gateways even if the attempt changes nothing. */
	probesGateways: boolean
	/** The kernel refused to rename a link that is up. */
	renameDown: boolean
	/** Keys of state that MultiNIC does not manage and that other programs on this node change during the run. */
	excused: ReadonlySet<string>
	/** Runs a phase and records its duration. */
	timed<T>(phase: string, work: () => Promise<T>): Promise<T>
}

export type AttemptWork = { plan: Plan; before: HostState; probes: Probes; paths: readonly NodePath[]; routes: PacketRoutes; armed: Armed }
