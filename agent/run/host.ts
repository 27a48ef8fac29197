import { generatorAt, type RejectedChanges } from '../boot/netplan-generator.ts'
import { prove } from '../boot/prove.ts'
import { apply, applyUndo, type ProbeRunner } from '../host/apply-changes.ts'
import { nameserversOf } from '../host/nameservers.ts'
import { observe } from '../host/observe.ts'
import { echoes } from '../host/ping.ts'
import { neighboursAnswer } from '../host/probe-neighbours.ts'
import { readText } from '../host/read-files.ts'
import { readMachine } from '../host/read-machine.ts'
import { lookUp } from '../host/route-lookup.ts'
import { tentativeAddresses } from '../host/tentative-addresses.ts'
import type { Proof } from '../model/boot-proof.ts'
import type { Step, UndoStep } from '../model/change.ts'
import type { HostState } from '../model/host-state.ts'
import { RESOLV_CONF, RESOLVED_UPLINK } from '../model/paths.ts'
import type { Accepted } from '../model/selection.ts'
import type { QueriedHost } from '../openstack/compare.ts'
import { queryMetadata } from '../openstack/metadata.ts'
import type { RunChanges } from '../persist/netplan-after.ts'
import type { Generated } from '../plan/file-steps.ts'
import type { ProbedHost } from '../probe/probed-host.ts'
import { arm, type Armed, commit, disarm, isArmed, unfinishedTag, unfinishedUndo } from '../rollback/arm.ts'

/** All operations with which a run reads or changes its host. */
export type Host = ProbedHost &
	QueriedHost & {
		observe(macs: readonly string[]): Promise<HostState>
		predictRejections(changing: RunChanges, state: HostState): Promise<RejectedChanges>
		generate(changing: RunChanges, state: HostState): Promise<Generated>
		prove(accepted: readonly Accepted[], state: HostState): Promise<Proof>
		arm(wish: { undo: readonly UndoStep[]; tag: string; commitTimeoutSeconds: number; systemd: boolean }): Promise<Armed>
		isArmed(): boolean
		/** @returns whether the commit was in time */
		commit(armed: Armed): Promise<boolean>
		disarm(armed: Armed): Promise<void>
		unfinishedUndo(): Armed | undefined
		/** The tag of a run that died before its commit and has not been rolled back yet. */
		unfinishedTag(): string | undefined
		apply(steps: readonly Step[], runProbes?: ProbeRunner): Promise<void>
		undo(steps: readonly UndoStep[]): Promise<string[]>
	}

/** @param root where the host's `/` is mounted; the kernel's state is that of the current network namespace */
export function hostAt(root: string): Host {
	const generator = generatorAt(root)
	return {
		observe: macs => observe(root, macs),
		predictRejections: generator.predictRejections,
		generate: generator.generate,
		prove: (accepted, state) => prove(root, accepted, state, generator),
		arm: wish => arm(root, wish),
		isArmed: () => isArmed(root),
		commit: armed => commit(root, armed),
		disarm: armed => disarm(root, armed),
		unfinishedUndo: () => unfinishedUndo(root),
		unfinishedTag: () => unfinishedTag(root),
		apply: (steps, runProbes) => apply(root, steps, runProbes),
		undo: steps => applyUndo(root, steps),
		lookUp,
		neighboursAnswer,
		echoes,
		tentativeAddresses,
		machine: () => readMachine(root),
		metadata: () => queryMetadata(root),
		nameservers: () => nameserversOf(readText(root, RESOLV_CONF), readText(root, RESOLVED_UPLINK)),
	}
}
