import type { ChangeStep, DuplicateCheck, Step, UndoStep } from '../model/change.ts'
import type { FileState } from '../model/host-state.ts'
import { type Device, deviceWord } from './device-word.ts'
import { formatChange, type IpLine } from './format-change.ts'

/** Steps that run together, or one that runs alone. */
export type StepGroup =
	| { batch: SpelledStep[] }
	| { writes: { path: string; file: FileState }[] }
	| { checks: CheckStep[] }
	| { single: SingleStep }

export type SpelledStep = ChangeStep & { spelled: IpLine }
export type CheckStep = { id?: number; action: DuplicateCheck }
export type SingleStep = { id?: number } & UndoStep

/**
 * Groups consecutive steps: `ip` lines of one family form a batch, files are written together, and duplicate address checks run together.
 * Every other step is a separate group.
 */
export function groupSteps(steps: readonly Step[], device: Device = deviceWord): StepGroup[] {
	const groups: StepGroup[] = []
	for (const step of steps) {
		if (step.change) addChange(groups, step, formatChange(step.change, device))
		else if (step.action.kind === 'checkDuplicates') addCheck(groups, { ...step, action: step.action })
		else groups.push({ single: { ...step, action: step.action } })
	}
	return groups
}

function addChange(groups: StepGroup[], step: ChangeStep, spelled: IpLine | undefined): void {
	const last = groups.at(-1)
	const { change } = step
	if (spelled && last && 'batch' in last && isTogether(last.batch[0]?.spelled, spelled)) last.batch.push({ ...step, spelled })
	else if (spelled) groups.push({ batch: [{ ...step, spelled }] })
	else if (change.kind !== 'writeFile') groups.push({ single: step })
	else if (last && 'writes' in last) last.writes.push(change)
	else groups.push({ writes: [change] })
}

function addCheck(groups: StepGroup[], step: CheckStep): void {
	const last = groups.at(-1)
	if (last && 'checks' in last) last.checks.push(step)
	else groups.push({ checks: [step] })
}

function isTogether(first: IpLine | undefined, next: IpLine): boolean {
	return first?.family === next.family && !first?.alone && !next.alone
}
