import { condition, isDrifted } from '../../contract/status.ts'
import type { Requests } from '../model/requests.ts'
import { statusPatch } from '../status/status-patch.ts'
import type { Decision } from '../model/decision.ts'
import { attemptsOf, isUpToDate, isVerificationLimitReached, nextAttempt, podNetworksOf } from '../model/runs.ts'
import type { Mode, Run, Snapshot } from '../model/snapshot.ts'
import { verifiedStatus } from '../status/build-status.ts'

/** Read-only runs: requested by a person, after a reboot, after a change of the pod networks, or when the interval is over. Pure. */

type Verification = { mode: Mode; cause: string; requests: Requests }

/**
 * How soon a verification after a reboot may be repeated, and the delay before checking again whether a run that is due may start
 * (milliseconds).
 */
const retryMs = 300_000
const busyMs = 30_000

/** Reports a verification whose result differs from the status. If it confirms the status, no write is needed. */
export function whenVerified(snapshot: Snapshot): Decision | undefined {
	const run = lastVerification(snapshot)
	const { config } = snapshot
	if (!run?.report || config.deleting || !('value' in snapshot.spec) || !isVerifiable(snapshot)) return undefined
	const status = verifiedStatus(snapshot, run)
	if (!statusPatch(config.rawStatus, status)) return undefined
	const why = condition(status, 'Ready')?.reason ?? run.report.reason
	const isNews = status.state !== config.status.state
	return { act: 'setStatus', why, status, result: isNews, ...(isNews && { eventKey: `${run.name}.result` }) }
}

/** Returns the last run of this generation if it is a verification: a later run that changes the node invalidates it. */
function lastVerification(snapshot: Snapshot): Run | undefined {
	const last = lastAttempt(snapshot)
	return last?.mode === 'Verify' ? last : undefined
}

function lastAttempt(snapshot: Snapshot): Run | undefined {
	return attemptsOf(snapshot).reduce<Run | undefined>((best, run) => (best && best.attempt > run.attempt ? best : run), undefined)
}

/** Starts a read-only run that is due and allowed. An earlier rule removes requests that a run has answered. */
export function whenVerificationDue(snapshot: Snapshot): Decision | undefined {
	const due = dueVerification(snapshot)
	if (!due || !isAllowed(snapshot, due)) return undefined
	return { act: 'start', why: due.cause, run: { attempt: nextAttempt(snapshot), ...due, failures: 0 }, keepStatus: true }
}

/** @returns when to decide again about read-only runs (milliseconds since 1970), or undefined if none will ever be due */
export function nextVerificationAt(snapshot: Snapshot): number | undefined {
	if (dueVerification(snapshot)) return snapshot.now + busyMs
	const at = nextIntervalAt(snapshot)
	return isVerifiable(snapshot) ? at : undefined
}

function dueVerification(snapshot: Snapshot): Verification | undefined {
	const { config, node, now } = snapshot
	if (config.deleting || !node || node.ready === 'Unknown') return undefined
	const { plan, verify } = config.requests
	if (plan !== undefined) return { mode: 'Plan', cause: 'PlanAsked', requests: { plan } }
	if (verify !== undefined) return { mode: 'Verify', cause: 'VerifyAsked', requests: { verify } }
	if (!isVerifiable(snapshot)) return undefined
	if (hasRebooted(snapshot)) return { mode: 'Verify', cause: 'NodeRebooted', requests: {} }
	if (hasOtherPodNetworks(snapshot)) return { mode: 'Verify', cause: 'PodNetworksChanged', requests: {} }
	const at = nextIntervalAt(snapshot)
	return at !== undefined && at <= now ? { mode: 'Verify', cause: 'TimeToVerify', requests: {} } : undefined
}

/** Whether the run may start now. Requested runs are exempt from the limit for automatic verifications. */
function isAllowed(snapshot: Snapshot, { requests }: Verification): boolean {
	const { settings, activeVerifications, runSlots } = snapshot.rollout
	if (runSlots <= 0 || isVerificationLimitReached(snapshot)) return false
	return Object.keys(requests).length > 0 || ('value' in settings && activeVerifications < settings.value.maxVerifications)
}

/** Whether a verification makes sense: the node is configured or has drifted. In other states, the status already shows the problem. */
function isVerifiable(snapshot: Snapshot): boolean {
	return isUpToDate(snapshot) && (snapshot.config.status.state === 'Configured' || isDrifted(snapshot.config))
}

/**
 * Whether the node has rebooted since the last run and was not verified recently; only a verification shows whether everything is restored.
 */
function hasRebooted(snapshot: Snapshot): boolean {
	const { config, node } = snapshot
	const { bootID } = config.status
	if (!bootID || !node?.bootID || bootID === node.bootID) return false
	return !wasVerifiedRecently(snapshot)
}

/**
 * Whether the pod networks of the node were assigned or changed after its last run. That run could not create rules for them, so pods on
 * the node get no replies from the addresses of its NICs.
 */
function hasOtherPodNetworks(snapshot: Snapshot): boolean {
	const then = lastAttempt(snapshot)?.podNetworks
	return then !== undefined && snapshot.node !== undefined && then !== podNetworksOf(snapshot.node)
}

/**
 * `created` is the API server's time; `lastRunAt` is the controller's time if it created the run. If their clocks differ by hours, only the
 * controller's time shows how long ago the run was created.
 */
function wasVerifiedRecently(snapshot: Snapshot): boolean {
	const { config, runs, rollout, now } = snapshot
	if (lastVerification(snapshot) && rollout.lastRunAt > now - retryMs) return true
	return runs.some(run => run.uid === config.uid && run.mode === 'Verify' && run.created > now - retryMs)
}

/**
 * Returns when the next verification is due. Each node has its own offset within the interval, which spreads the verifications of the
 * fleet.
 */
function nextIntervalAt({ config, rollout: { settings, lastRunAt } }: Snapshot): number | undefined {
	const interval = 'value' in settings ? settings.value.verifyIntervalSeconds * 1_000 : 0
	if (interval === 0) return undefined
	const phase = numberOf(config.uid) % interval
	return phase + (Math.floor((lastRunAt - phase) / interval) + 1) * interval
}

/** Hashes a string to an evenly distributed number (FNV-1a). @see RFC 9923 */
function numberOf(text: string): number {
	let hash = 0x811c9dc5
	for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0
	return hash
}
