import type { AgentReport, Drift, InterfaceReport, RunConfig } from '../../contract/agent-run.ts'
import { cut } from '../../contract/conditions.ts'
import { ofInterface, ofRemoval } from '../../contract/interface-words.ts'
import { ipOf } from '../../contract/ip.ts'
import type { Reason } from '../../contract/reasons.ts'
import { type Check, firstOf, type Refusal } from '../model/check.ts'
import { reasonOf } from '../model/failure.ts'
import type { Link } from '../model/host-state.ts'
import type { Released } from '../model/selection.ts'
import { mentionsOfOurs, unreadableFiles } from '../persist/second-definition.ts'
import { countChanges } from '../plan/plan.ts'
import { worstDisruption } from './disruption.ts'
import { driftWords } from './drift.ts'
import { oneLine } from './one-line.ts'
import { type Failed, isFailed, type Outcome, type ReportInput } from './outcome.ts'

type Verdict = Pick<AgentReport, 'outcome' | 'reason' | 'message'>
type VerdictInput = {
	interfaces: readonly InterfaceReport[]
	outcome: Outcome
	mode: RunConfig['mode']
	unfinished: boolean
	unrestored: readonly string[]
}

/** Checked in order: the first that applies is the verdict of the run as a whole. */
const checks: readonly Check<VerdictInput, Verdict>[] = [
	whenRolledBack,
	whenSomeFailed,
	whenPlanned,
	whenDrifted,
	whenNotRestored,
	whenNothingWanted,
]

/** Returns the verdict on the run as a whole: an outcome, a reason, a message. */
export function verdict(interfaces: readonly InterfaceReport[], { outcome, tally }: ReportInput): Verdict {
	const input = { interfaces, outcome, mode: tally.config.mode, unfinished: tally.unfinished !== undefined, unrestored: tally.unrestored }
	const first = firstOf(checks, input)
	if (first) return { ...first, message: short(first.message) }
	return { outcome: 'Succeeded', reason: 'AllInterfacesConfigured', message: `Configured ${share(interfaces)}` }
}

/** Returns the result of one interface after a successful run. */
export function interfaceVerdict(
	mode: RunConfig['mode'],
	{ changes, drift = [], duplicates }: { changes: number; drift?: readonly Drift[] | undefined; duplicates: string | undefined },
): Pick<InterfaceReport, 'state' | 'reason' | 'message'> {
	if (changes === 0) return { state: 'Configured', reason: 'AlreadyConfigured', message: 'already in sync' }
	if (mode === 'Plan') return { state: 'Pending', reason: 'Planned', message: `${many(changes)} would be made` }
	if (mode === 'Verify' && duplicates !== undefined) return { state: 'Failed', reason: 'AddressInUse', message: duplicates }
	if (mode === 'Verify') return { state: 'Failed', reason: 'Drifted', message: driftMessage(drift, changes) }
	return { state: 'Configured', reason: 'Configured', message: `${many(changes)} made` }
}

/** Returns why a run had no effect, and whether everything was rolled back. */
export function rolledBack(outcome: Failed): Refusal {
	const { failed, plan } = outcome
	const cause = reasonOf(failed.code)
	// if something was not restored, the rollout must not make the same change on other nodes
	const reason = outcome.kind === 'stuck' && cause !== 'ConnectivityLost' ? 'NotRestored' : cause
	const end = outcome.kind === 'stuck' ? `NOT rolled back: ${outcome.unrestored.join('; ')}` : 'everything was rolled back'
	const isRemoval = plan.accepted.every(({ nic }) => countChanges(plan.steps, nic.id) === 0)
	const message = `${failed.message}; ${end}`
	return { reason, message: isRemoval ? notRemoved(plan.released, message) : message }
}

/** Returns the message as one line, within the size limit of a status. */
export function short(message: string): string {
	return cut(oneLine(message))
}

function whenRolledBack({ outcome }: VerdictInput): Verdict | undefined {
	if (!isFailed(outcome)) return
	// Changes by other programs do not show that this change is harmful, so they do not halt the rollout.
	const isRolledBack = outcome.kind === 'rolledBack' && outcome.failed.code !== 'LOST_BY_OTHERS'
	return { ...rolledBack(outcome), outcome: isRolledBack ? 'RolledBack' : 'Failed' }
}

function whenSomeFailed({ interfaces, outcome, mode, unfinished }: VerdictInput): Verdict | undefined {
	const failed = interfaces.filter(({ state }) => state === 'Failed')
	const bad = [...failed, ...outcome.plan.kept.map(({ refusal }) => refusal)]
	if (bad.length === 0) return undefined
	const head = { Apply: 'Configured', Cleanup: 'Configured', Plan: 'Planned', Verify: 'In sync' }[mode]
	const kept = outcome.plan.kept.map(({ ours: { name, mac }, refusal: { message } }) => ofRemoval({ name, macAddress: mac, message }))
	const causes = [...failed.map(ofInterface), ...kept].map(words => `${words}.`).join(' ')
	const rest = mode === 'Plan' ? ` Others: ${planned(outcome)}.` : ''
	return {
		outcome: failed.length < interfaces.length ? 'PartlyFailed' : 'Failed',
		reason: common(bad),
		message: `${before(unfinished)}${interfaces.length > 0 ? `${head} ${share(interfaces)}. ` : ''}${causes}${rest}`,
	}
}

function whenPlanned({ outcome, mode, unfinished }: VerdictInput): Verdict | undefined {
	if (mode !== 'Plan') return undefined
	return { outcome: 'Succeeded', reason: 'Planned', message: before(unfinished) + planned(outcome) }
}

function planned({ plan: { steps }, state }: Outcome): string {
	const changes = countChanges(steps)
	const { class: found, because } = worstDisruption(steps, state)
	return changes === 0 ? 'no changes' : `${many(changes)} would be made; disruption ${found}: ${because}`
}

/** Reports drift that belongs to no failed interface, such as leftovers, or an unfinished run that must be rolled back. */
function whenDrifted({ outcome: { plan }, mode, unfinished }: VerdictInput): Verdict | undefined {
	const changes = countChanges(plan.steps)
	if (mode !== 'Verify' || (changes === 0 && !unfinished)) return undefined
	const words = changes === 0 ? 'otherwise the node is in sync' : `${many(changes)} would repair the node`
	return { outcome: 'Failed', reason: 'Drifted', message: before(unfinished) + words }
}

/** A configured interface is correct regardless of what an earlier run left behind; if none is desired, nothing else reports it. */
function whenNotRestored({ interfaces, unrestored }: VerdictInput): Verdict | undefined {
	if (interfaces.length > 0 || unrestored.length === 0) return undefined
	const message = `no interfaces are requested; an earlier run was not rolled back completely: ${unrestored.join('; ')}`
	return { outcome: 'Failed', reason: 'NotRestored', message }
}

/** Reports files that MultiNIC does not manage, because the next boot may use them; their existence does not make this run fail. */
function whenNothingWanted({ interfaces, outcome: { state } }: VerdictInput): Verdict | undefined {
	if (interfaces.length > 0) return undefined
	const left = [
		...mentionsOfOurs(state).map(({ path, name }) => `${name} is still in ${path} (cat ${path})`),
		...unreadableFiles(state).map(({ path, why }) => `${path} cannot be read: ${why} (ls -l ${path})`),
	]
	if (left.length === 0)
		return { outcome: 'Succeeded', reason: 'NoInterfaces', message: 'no interfaces are requested and none are left on the node' }
	return { outcome: 'Succeeded', reason: 'AllInterfacesConfigured', message: `no interfaces are requested; ${left.join('; ')}` }
}

function before(unfinished: boolean): string {
	return unfinished ? 'an earlier run ended before its commit and would be rolled back first; ' : ''
}

function share(interfaces: readonly InterfaceReport[]): string {
	return `${interfaces.filter(({ state }) => state !== 'Failed').length}/${interfaces.length}`
}

/** Length available for one interface in a message about several (characters). */
const DRIFT_LENGTH = 120

/** Lists as many differences as fit; the report contains all of them. */
function driftMessage(drift: readonly Drift[], changes: number): string {
	const words = drift.map(driftWords)
	if (words.length === 0) return `${many(changes)} would repair it`
	const fitting = words.filter((_, at) => at === 0 || words.slice(0, at + 1).join('; ').length <= DRIFT_LENGTH)
	const rest = words.length - fitting.length
	return fitting.join('; ') + (rest > 0 ? `; and ${rest} more` : '')
}

function notRemoved(released: readonly Released[], message: string): string {
	const [first, ...more] = released.map(({ ours: { name, mac } }) => ({ name, macAddress: mac, message }))
	if (!first) return message
	if (more.length === 0) return ofRemoval(first)
	return `${[first, ...more].map(({ name, macAddress }) => `${name} (${macAddress})`).join(', ')} are not removed: ${message}`
}

/** If all have the same reason, that reason is more useful than `PartlyFailed`. */
function common(bad: readonly Pick<Refusal, 'reason'>[]): Reason {
	const reasons = new Set(bad.map(({ reason }) => reason))
	const [only = 'PartlyFailed'] = reasons
	return reasons.size === 1 ? only : 'PartlyFailed'
}

function many(changes: number): string {
	return `${changes} ${changes === 1 ? 'change' : 'changes'}`
}

/** @returns a sentence with the addresses of a link that another host also has */
export function duplicateWords({ addresses }: Link): string | undefined {
	const ips = addresses.flatMap(({ cidr, duplicate }) => (duplicate ? [ipOf(cidr)] : []))
	return ips.length > 0 ? `another host has ${ips.join(', ')}` : undefined
}
