import type { Bases } from '../../contract/bases.ts'
import { basesOf, isRuleOf, recordedBases } from '../model/bases.ts'
import { type ActionStep, actionStep, type Change, type ChangeStep, changeStep } from '../model/change.ts'
import { ruleKey } from '../model/desired-rules.ts'
import type { HostState } from '../model/host-state.ts'
import type { Accepted, Released, Selection } from '../model/selection.ts'
import { configure, type Phases, release } from './configure.ts'
import { knownSources, staleRules } from './rule-changes.ts'

type ChangePhase = Exclude<keyof Phases, 'probe'>
export type PhaseSteps = Record<ChangePhase, ChangeStep[]> & { probe: ActionStep[] }

/** Caches the last host and steps of each selection, because the prediction and the plan need the same steps. */
const known = new WeakMap<Selection, { host: HostState; steps: PhaseSteps }>()

/** @returns the steps for all links of a selection, by phase */
export function phasesOf(selection: Selection, host: HostState): PhaseSteps {
	const last = known.get(selection)
	const steps = last?.host === host ? last.steps : stepsOf(selection, host)
	known.set(selection, { host, steps })
	return steps
}

function stepsOf(selection: Selection, host: HostState): PhaseSteps {
	const { accepted, released } = selection
	const owners = [
		...accepted.map(one => ({ id: one.nic.id, phases: configurePhases(one, selection, host) })),
		...released.map(one => ({ id: undefined, phases: releasePhases(one, selection, host) })),
	]
	const of = (phase: ChangePhase) => withoutTwins(owners.flatMap(({ id, phases }) => phases[phase].map(change => changeStep(id, change))))
	const probe = owners.flatMap(({ id, phases }) => phases.probe.map(check => actionStep(id, check)))
	return { settings: of('settings'), take: of('take'), shape: of('shape'), probe, give: of('give'), leave: of('leave') }
}

/** If several interfaces remove the same rule, keeps only the last of these steps. */
function withoutTwins(steps: readonly ChangeStep[]): ChangeStep[] {
	const last = new Map(steps.flatMap(step => (step.change.kind === 'removeRule' ? [[ruleKey(step.change.rule), step] as const] : [])))
	return steps.filter(step => step.change.kind !== 'removeRule' || last.get(ruleKey(step.change.rule)) === step)
}

/** Also removes the rules of a NIC's former id, unless another NIC now has that id with the same bases. */
function configurePhases(accepted: Accepted, selection: Selection, host: HostState): Phases {
	const phases = configure(accepted, selection, host)
	const { ours, nic } = accepted
	if (ours === undefined || ours.id === nic.id) return phases
	const bases = recordedBases(ours).filter(one => !isTaken(ours.id, one, selection))
	return { ...phases, take: [...staleRules(ours.id, { wanted: [], bases, known: knownSources(selection) }, host), ...phases.take] }
}

/** Keeps the rules of an id and bases that another NIC now has: the steps of that NIC remove superfluous rules. */
function releasePhases(released: Released, selection: Selection, host: HostState): Phases {
	const phases = release(released, selection, host)
	const { id } = released.ours
	const stays = (change: Change) =>
		change.kind === 'removeRule' && selection.bases.some(one => isRuleOf(id, change.rule, one) && isTaken(id, one, selection))
	return { ...phases, take: phases.take.filter(change => !stays(change)) }
}

function isTaken(id: number, { table, priority }: Bases, { accepted }: Selection): boolean {
	return accepted.some(({ nic }) => nic.id === id && basesOf(nic).table === table && basesOf(nic).priority === priority)
}
