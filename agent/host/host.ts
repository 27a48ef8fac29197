import type { Machine } from '../../contract/agent-run.ts'
import type { Accepted } from '../plan/select.ts'
import { nameserversOf } from '../probe/nameservers.ts'
import { RESOLV_CONF, RESOLVED_UPLINK } from '../paths.ts'
import type { Changing } from '../persist/netplan-after.ts'
import type { Generated } from '../plan/files.ts'
import { type Foreseen, generatorAt } from './generate.ts'
import { type Proof, prove } from './prove.ts'
import type { Answer } from '../plan/lookup-losses.ts'
import type { Lookup } from '../plan/lookups.ts'
import type { Change, Step } from '../plan/steps.ts'
import { apply, applyUndo, type Asking } from './apply.ts'
import { type Armed, arm, commit, disarm, isArmed, leftBehind, unfinished } from './rollback-timer.ts'
import { readText } from './read.ts'
import { lookUp } from './lookups.ts'
import { machine } from './machine.ts'
import { askMetadata, type Metadata } from './metadata.ts'
import { neighboursAnswer, type Question } from './neighbours.ts'
import { observe } from './observe.ts'
import { type Echo, echoes, type Packet } from './ping.ts'
import type { HostState } from './state.ts'
import { type Tentative, tentative } from './tentative.ts'

/** Everything that a run can read from its host or change on it. */
export type Host = {
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
	/** Returns one answer per packet, in order: which path the kernel uses for it. */
	lookUp(lookups: readonly Lookup[], links: HostState['links']): Promise<Answer[]>
	/** Sends new probes; a neighbour that has not answered after `withinMs` milliseconds counts as silent. */
	neighboursAnswer(questions: readonly Question[], withinMs: number): Promise<boolean[]>
	/** Returns one echo per packet, in order. */
	echoes(packets: readonly Packet[]): Promise<Echo[]>
	nameservers(): string[]
	tentative(): Promise<Tentative[]>
	/** Never rejects. */
	machine(): Promise<Machine>
	/** Starts to query OpenStack, if there is one. */
	metadata(): Metadata
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
