import type { AgentReport, Drift, InterfaceReport, NotRemoved, Probe } from '../../contract/agent-run.ts'
import { cut } from '../../contract/conditions.ts'
import type { WantedInterface } from '../../contract/interface.ts'
import { REPORT_COUNTS } from '../../contract/names.ts'
import type { Failure } from '../../runtime/errors.ts'
import { changedFile } from '../model/change.ts'
import type { Refusal } from '../model/check.ts'
import { type Code, reasonOf } from '../model/failure.ts'
import type { HostState, Link } from '../model/host-state.ts'
import { identityOf } from '../model/link-identity.ts'
import type { Accepted, Kept } from '../model/selection.ts'
import { backendOf } from '../persist/backend.ts'
import { mentionsOfOurs } from '../persist/second-definition.ts'
import { countChanges } from '../plan/plan.ts'
import { sharingWarning } from '../plan/sharing-checks.ts'
import { disruptionOf } from './disruption.ts'
import { DRIFT_MAX, driftOf } from './drift.ts'
import { isFailed, type Outcome, type ReportInput, type Succeeded } from './outcome.ts'
import { diffOf } from './plan-diff.ts'
import { isDry, type Tally } from './tally.ts'
import { duplicateWords, interfaceVerdict, rolledBack, short, verdict } from './verdict.ts'

/** Reports the result of a run, for each interface. */
export function reportOutcome(outcome: Outcome, tally: Tally, finished: Date): AgentReport {
	const { plan, state } = outcome
	const failed = isFailed(outcome)
	const probes = 'probes' in outcome ? outcome.probes : nothingJudged.probes
	const interfaces = [
		...plan.accepted.map(one => accepted(one, { outcome, tally })),
		...plan.refused.map(({ nic, refusal }) => refused(nic, refusal, state)),
	].toSorted((a, b) => a.id - b.id)
	return {
		...identity(tally, finished),
		...verdict(interfaces, { outcome, tally }),
		...backend(state),
		persistent: failed ? { status: 'Unknown', message: 'the run was rolled back' } : outcome.proof.persistent,
		changes: failed ? 0 : tally.total,
		interfaces,
		...(!failed && plan.kept.length > 0 && { notRemoved: plan.kept.slice(0, REPORT_COUNTS.removals).map(notRemoved) }),
		probes: { before: fitting(probes.before), after: fitting(probes.after) },
		...(tally.notes.size > 0 && { notes: [...tally.notes].slice(0, REPORT_COUNTS.notes).map(short) }),
		...planOrDrift({ outcome, tally }),
		...(tally.unfinished !== undefined && { unfinished: tally.unfinished }),
	}
}

/** If not all probes fit, failed probes come first. */
function fitting(probes: readonly Probe[]): Probe[] {
	if (probes.length <= REPORT_COUNTS.probes) return [...probes]
	return probes.toSorted((a, b) => Number(a.ok) - Number(b.ok)).slice(0, REPORT_COUNTS.probes)
}

/** Reports a run that failed before it had a result for any interface. */
export function reportFailure(error: Failure<Code>, wanted: readonly WantedInterface[], tally: Tally, finished: Date): AgentReport {
	const reason = reasonOf(error.code)
	return {
		...identity(tally, finished),
		outcome: 'Failed',
		reason,
		message: short(error.message),
		...nothingJudged,
		interfaces: wanted.map(nic => failedInterface(nic, { reason, message: error.message })),
	}
}

/** Reports a run that ended before it had a tally: its input is invalid, another run holds the lock, or the agent has a bug. */
export function reportEarlyEnd(
	{ reason, message }: Refusal,
	of: Pick<AgentReport, 'nodeName' | 'uid' | 'generation' | 'attempt' | 'mode'>,
	now: Date,
): AgentReport {
	return {
		...of,
		version: 1,
		outcome: 'Failed',
		reason,
		message: short(message),
		...nothingJudged,
		started: now.toISOString(),
		finished: now.toISOString(),
		milliseconds: {},
		interfaces: [],
	}
}

const nothingJudged = {
	persistent: { status: 'Unknown' as const, message: 'the run ended before this step' },
	changes: 0,
	probes: { before: [], after: [] },
}

function backend(host: HostState): Pick<AgentReport, 'backend'> {
	const found = backendOf(host)
	return 'backend' in found ? found : {}
}

/** Mode Plan reports the plan; mode Verify reports leftovers that belong to no interface. */
function planOrDrift({ outcome: { plan, state }, tally: { config } }: ReportInput): Pick<AgentReport, 'plan' | 'drift'> {
	if (config.mode === 'Plan') return { plan: diffOf(plan.steps, state) }
	const drift =
		config.mode === 'Verify'
			? driftOf(
					plan.steps.filter(({ id }) => id === undefined),
					state,
				)
			: []
	const left = config.mode === 'Verify' && isNothingWanted(plan) ? leftovers(plan, state) : []
	return drift.length + left.length > 0 ? { drift: [...drift, ...left].slice(0, DRIFT_MAX) } : {}
}

function isNothingWanted({ accepted, refused }: Outcome['plan']): boolean {
	return accepted.length + refused.length === 0
}

/** Files that still mention a managed interface, except those that a run would remove. */
function leftovers({ steps }: Outcome['plan'], state: HostState): Drift[] {
	const going = new Set(steps.map(changedFile))
	return mentionsOfOurs(state).flatMap(({ path, name }) =>
		going.has(path) ? [] : [{ attribute: 'file', of: path, wanted: 'none', found: `a mention of ${name}` } as const],
	)
}

function accepted({ nic, link }: Accepted, { outcome, tally }: ReportInput): InterfaceReport {
	const { plan, state } = outcome
	if (isFailed(outcome)) return { ...failedInterface(nic, rolledBack(outcome)), ...observed(link, state) }
	if (!state.links.some(({ ifindex }) => ifindex === link.ifindex))
		return failedInterface(nic, { reason: 'WaitingForDevice', message: `${link.name} disappeared during the run` })
	const warnings = warningsOf(nic, { outcome, tally })
	const changes = isDry(tally.config) ? countChanges(plan.steps, nic.id) : (tally.changes.get(nic.id) ?? 0)
	const found = whatOf(nic.id, link, { outcome, tally })
	return {
		id: nic.id,
		name: nic.name,
		macAddress: nic.macAddress,
		...interfaceVerdict(tally.config.mode, { changes, drift: found.drift, duplicates: duplicateWords(link) }),
		changes,
		...found,
		...observed(link, state),
		warnings: warnings.map(({ reason, message }) => ({ reason, message: short(message) })),
	}
}

function warningsOf(nic: WantedInterface, { outcome: { plan, proof }, tally }: ReportInput<Succeeded>): Refusal[] {
	const sharing = plan.shared.get(nic.id)
	const found = [sharing && sharingWarning(sharing, nic), proof.warnings.get(nic.id), tally.warnings.get(nic.id)]
	return found.filter(warning => warning !== undefined)
}

/** Limits for one interface, enough for a human reader. */
const DONE_MAX = 30
const DONE_LENGTH = 80

/** What was done for an interface (Apply), would be disrupted (Plan), or differs from the desired state (Verify). */
function whatOf(id: number, link: Link, { outcome, tally }: ReportInput): Pick<InterfaceReport, 'done' | 'drift' | 'disruption'> {
	const own = outcome.plan.steps.filter(step => step.id === id)
	if (tally.config.mode === 'Plan') return own.length > 0 ? { disruption: disruptionOf(own, link) } : {}
	if (tally.config.mode === 'Verify') {
		const drift = driftOf(own, outcome.state)
		return drift.length > 0 ? { drift } : {}
	}
	const done = tally.done.get(id) ?? []
	return done.length > 0 ? { done: done.slice(0, DONE_MAX).map(words => cut(words, DONE_LENGTH)) } : {}
}

function refused(nic: WantedInterface, refusal: Refusal, state: HostState): InterfaceReport {
	const link = state.links.find(candidate => identityOf(candidate) === nic.macAddress)
	return { ...failedInterface(nic, refusal), ...observed(link, state) }
}

function failedInterface({ id, name, macAddress }: WantedInterface, { reason, message }: Refusal): InterfaceReport {
	return { id, name, macAddress, state: 'Failed', reason, message: short(message), changes: 0, warnings: [] }
}

function notRemoved({ ours: { name, mac: macAddress }, refusal: { reason, message } }: Kept): NotRemoved {
	return { name, macAddress, reason, message: short(message) }
}

function observed(link: Link | undefined, { links }: HostState): Pick<InterfaceReport, 'observed'> {
	const now = links.find(({ ifindex }) => ifindex === link?.ifindex)
	if (!now) return {}
	const addresses = now.addresses.filter(({ global }) => global).slice(0, 4)
	return { observed: { link: now.name, mtu: now.mtu, up: now.up, addresses: addresses.map(({ cidr }) => cidr) } }
}

function identity({ config, started, milliseconds }: Tally, finished: Date) {
	const { nodeName, uid, generation, attempt, mode } = config
	const total = finished.getTime() - started.getTime()
	return {
		nodeName,
		uid,
		generation,
		attempt,
		version: 1 as const,
		mode,
		started: started.toISOString(),
		finished: finished.toISOString(),
		milliseconds: { ...milliseconds, total },
	}
}
