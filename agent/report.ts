import type { AgentReport, InterfaceReport } from '../contract/agent-run.ts'
import { cut } from '../contract/conditions.ts'
import type { WantedInterface } from '../contract/interface.ts'
import type { Reason } from '../contract/reasons.ts'
import type { Failure } from '../runtime/errors.ts'
import type { Outcome } from './attempt.ts'
import { type Code, reasonOf } from './failure.ts'
import { spell } from './host/spell.ts'
import type { HostState, Link } from './host/state.ts'
import { identityOf, type Refusal } from './match.ts'
import { oneLine } from './one-line.ts'
import { duplicateWords } from './own-address.ts'
import { countChanges, type Plan } from './plan.ts'
import type { Tally } from './tally.ts'

/** What became of a run, interface by interface. */
export function reportOutcome(outcome: Outcome, tally: Tally, finished: Date): AgentReport {
	const { plan, failed, probes, proof } = outcome
	const interfaces = [
		...plan.accepted.map(({ nic, link }) => accepted(nic, link, { outcome, tally })),
		...plan.refused.map(({ nic, refusal }) => refused(nic, refusal, outcome.state)),
	].toSorted((a, b) => a.id - b.id)
	return {
		...identity(tally, finished),
		...verdict(interfaces, { outcome, tally }),
		backend: 'netplan-networkd',
		persistent: proof.persistent,
		changes: failed ? 0 : tally.total,
		interfaces,
		probes,
		...(tally.notes.size > 0 && { notes: [...tally.notes].map(short) }),
		...(isDry(tally) && { plan: planned(plan) }),
	}
}

/** A run that could not judge any interface. */
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

/** A run that ended before it had a tally: its input is wrong, another run holds the host, or a bug. */
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
	persistent: { status: 'Unknown' as const, message: 'the run did not get that far' },
	changes: 0,
	probes: { before: [], after: [] },
}

type Told = { outcome: Outcome; tally: Tally }

function accepted(nic: WantedInterface, link: Link, { outcome, tally }: Told): InterfaceReport {
	const { failed, plan, proof, state } = outcome
	if (failed) return { ...failedInterface(nic, undone(outcome)), ...observed(link, state) }
	if (!state.links.some(({ ifindex }) => ifindex === link.ifindex))
		return failedInterface(nic, { reason: 'WaitingForDevice', message: `${link.name} went away during the run` })
	const changes = isDry(tally) ? countChanges(plan.steps, nic.id) : (tally.changes.get(nic.id) ?? 0)
	const warnings = [proof.warnings.get(nic.id), tally.warnings.get(nic.id)].filter(warning => warning !== undefined)
	return {
		id: nic.id,
		name: nic.name,
		macAddress: nic.macAddress,
		...judge(changes, link, tally),
		changes,
		...observed(link, state),
		warnings: warnings.map(({ reason, message }) => ({ reason, message: short(message) })),
	}
}

function judge(changes: number, link: Link, { config }: Tally): Pick<InterfaceReport, 'state' | 'reason' | 'message'> {
	if (changes === 0) return { state: 'Configured', reason: 'AlreadyConfigured', message: 'it was right already' }
	const many = `${changes} ${changes === 1 ? 'change' : 'changes'}`
	if (config.mode === 'Plan') return { state: 'Pending', reason: 'Planned', message: `${many} would be made` }
	const duplicates = duplicateWords(link)
	if (config.mode === 'Verify' && duplicates !== undefined) return { state: 'Failed', reason: 'AddressInUse', message: duplicates }
	if (config.mode === 'Verify') return { state: 'Failed', reason: 'Drifted', message: `${many} would put it right again` }
	return { state: 'Configured', reason: 'Configured', message: `${many} made` }
}

function refused(nic: WantedInterface, refusal: Refusal, state: HostState): InterfaceReport {
	const link = state.links.find(candidate => identityOf(candidate) === nic.macAddress)
	return { ...failedInterface(nic, refusal), ...observed(link, state) }
}

function failedInterface({ id, name, macAddress }: WantedInterface, { reason, message }: Refusal): InterfaceReport {
	return { id, name, macAddress, state: 'Failed', reason, message: short(message), changes: 0, warnings: [] }
}

function observed(link: Link | undefined, { links }: HostState): Pick<InterfaceReport, 'observed'> {
	const now = links.find(({ ifindex }) => ifindex === link?.ifindex)
	if (!now) return {}
	const addresses = now.addresses.filter(({ global }) => global).slice(0, 4)
	return { observed: { link: now.name, mtu: now.mtu, up: now.up, addresses: addresses.map(({ cidr }) => cidr) } }
}

function undone({ failed, unrestored = [] }: Outcome): Refusal {
	const reason = failed ? reasonOf(failed.code) : 'RolledBack'
	const end = unrestored.length === 0 ? 'everything was put back' : `NOT put back: ${unrestored.join('; ')}`
	return { reason, message: `${failed?.message}; ${end}` }
}

function verdict(interfaces: readonly InterfaceReport[], { outcome, tally }: Told): Pick<AgentReport, 'outcome' | 'reason' | 'message'> {
	if (outcome.failed) {
		const { reason, message } = undone(outcome)
		return { outcome: outcome.unrestored?.length ? 'Failed' : 'RolledBack', reason, message: short(message) }
	}
	const bad = interfaces.filter(({ state }) => state === 'Failed')
	const good = `${interfaces.length - bad.length}/${interfaces.length}`
	if (bad.length > 0)
		return {
			outcome: bad.length < interfaces.length ? 'PartlyFailed' : 'Failed',
			reason: common(bad),
			message: short(`Configured ${good}. ${bad.map(({ name, message }) => `${name}: ${message}.`).join(' ')}`),
		}
	const left = countChanges(outcome.plan.steps)
	if (tally.config.mode === 'Plan') return { outcome: 'Succeeded', reason: 'Planned', message: `${left} changes would be made` }
	if (tally.config.mode === 'Verify' && left > 0)
		return { outcome: 'Failed', reason: 'Drifted', message: `${left} changes would put the node right again` }
	if (interfaces.length === 0)
		return { outcome: 'Succeeded', reason: 'NoInterfaces', message: 'no interface is wanted and nothing of ours is left on the node' }
	return { outcome: 'Succeeded', reason: 'AllInterfacesConfigured', message: `Configured ${good}` }
}

/** One reason that all give says more than that some failed. */
function common(bad: readonly InterfaceReport[]): Reason {
	const reasons = new Set(bad.map(({ reason }) => reason))
	const [only = 'PartlyFailed'] = reasons
	return reasons.size === 1 ? only : 'PartlyFailed'
}

function planned({ steps }: Plan): NonNullable<AgentReport['plan']> {
	const changes = steps.map(({ change }) => change)
	const commands = changes.flatMap(
		change => spell(change)?.line ?? (change.kind === 'sysctl' ? [`${change.name} ${change.key} = ${change.value}`] : []),
	)
	return {
		commands,
		files: changes.flatMap(change => (change.kind === 'file' ? [`${change.file ? 'write' : 'remove'} ${change.path}`] : [])),
	}
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

function isDry({ config }: Tally): boolean {
	return config.mode === 'Plan' || config.mode === 'Verify'
}

/** One line, as long as a status may carry it. */
function short(message: string): string {
	return cut(oneLine(message))
}
