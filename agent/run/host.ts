import { type Foreseen, generatorAt } from '../boot/netplan-generator.ts'
import { prove } from '../boot/prove.ts'
import { apply, applyUndo, type Asking } from '../host/apply-changes.ts'
import { nameserversOf } from '../host/nameservers.ts'
import { observe } from '../host/observe.ts'
import { echoes } from '../host/ping.ts'
import { neighboursAnswer } from '../host/probe-neighbours.ts'
import { readText } from '../host/read-files.ts'
import { machine } from '../host/read-machine.ts'
import { lookUp } from '../host/route-lookup.ts'
import { tentative } from '../host/tentative-addresses.ts'
import type { Proof } from '../model/boot-proof.ts'
import type { Change, Step } from '../model/change.ts'
import type { HostState } from '../model/host-state.ts'
import { RESOLV_CONF, RESOLVED_UPLINK } from '../model/paths.ts'
import type { Accepted } from '../model/selection.ts'
import type { QueriedHost } from '../openstack/compare.ts'
import { askMetadata } from '../openstack/metadata.ts'
import type { Changing } from '../persist/netplan-after.ts'
import type { Generated } from '../plan/file-steps.ts'
import type { ProbedHost } from '../probe/probed-host.ts'
import { arm, type Armed, commit, disarm, isArmed, leftBehind, unfinished } from '../rollback/timer.ts'

/** Everything that a run can read from its host or change on it. */
export type Host = ProbedHost &
	QueriedHost & {
		observe(macs: readonly string[]): Promise<HostState>
		foresee(changing: Changing, state: HostState): Promise<Foreseen>
		generate(changing: Changing, state: HostState): Promise<Generated>
		prove(accepted: readonly Accepted[], state: HostState): Promise<Proof>
		arm(wish: { undo: readonly Change[]; tag: string; commitTimeoutSeconds: number; systemd: boolean }): Promise<Armed>
		isArmed(): boolean
		/** @returns whether the commit came in time */
		commit(armed: Armed): Promise<boolean>
		disarm(armed: Armed): Promise<void>
		leftBehind(): Armed | undefined
		/** The tag of a run that died before its commit and is not rolled back yet. */
		unfinished(): string | undefined
		apply(steps: readonly Step[], asking?: Asking): Promise<void>
		undo(changes: readonly Change[]): Promise<string[]>
	}

/** @param root where the host's `/` is mounted; the kernel is that of the current network namespace */
export function hostAt(root: string): Host {
	const generator = generatorAt(root)
	return {
		observe: macs => observe(root, macs),
		foresee: generator.foresee,
		generate: generator.generate,
		prove: (accepted, state) => prove(root, accepted, state, generator),
		arm: wish => arm(root, wish),
		isArmed: () => isArmed(root),
		commit: armed => commit(root, armed),
		disarm: armed => disarm(root, armed),
		leftBehind: () => leftBehind(root),
		unfinished: () => unfinished(root),
		apply: (steps, asking) => apply(root, steps, asking),
		undo: changes => applyUndo(root, changes),
		lookUp,
		neighboursAnswer,
		echoes,
		tentative,
		machine: () => machine(root),
		metadata: () => askMetadata(root),
		nameservers: () => nameserversOf(readText(root, RESOLV_CONF), readText(root, RESOLVED_UPLINK)),
	}
}
