import { condition, isDrifted } from '../../contract/status.ts'
import type { Ask } from '../../contract/names.ts'
import { answeredBy } from '../model/requests.ts'
import { statusChange } from '../status/status-patch.ts'
import type { Decision } from '../model/decision.ts'
import { attemptsOf, isUpToDate, looksAreMany, nextAttempt, podNetworksOf } from '../model/runs.ts'
import type { Mode, Run, Snapshot } from '../model/snapshot.ts'
import { verifiedStatus } from '../status/status.ts'

/** Read-only runs: because a person requests them, because the node rebooted, or because they are due. Pure. */

type Look = { mode: Mode; cause: string; ask?: Ask }

/** How soon a verification without a result may be repeated, and how long one waits for other runs to end (milliseconds). */
const againMs = 300_000
const busyMs = 30_000

/** A verification whose result differs from the status. One that confirms the status costs no write. */
export function hasUnreadVerdict(snapshot: Snapshot): Decision | undefined {
	const run = lastLook(snapshot)
	const { config } = snapshot
	if (!run?.report || config.deleting || !('value' in snapshot.spec) || !isJudged(snapshot)) return undefined
	const status = verifiedStatus(snapshot, run)
	if (!statusChange(config.rawStatus, status)) return undefined
	const why = condition(status, 'Ready')?.reason ?? run.report.reason
	const isNews = status.state !== config.status.state
	return { act: 'settle', why, status, result: isNews, ...(isNews && { moment: `${run.name}.result` }) }
}

/** The last run of this generation, if it was a verification: a run that changes the node invalidates older verifications. */
function lastLook(snapshot: Snapshot): Run | undefined {
	const last = lastAttempt(snapshot)
	return last?.mode === 'Verify' ? last : undefined
}

function lastAttempt(snapshot: Snapshot): Run | undefined {
	return attemptsOf(snapshot).reduce<Run | undefined>((best, run) => (best && best.attempt > run.attempt ? best : run), undefined)
}

/** Starts a read-only run that is due and allowed. */
export function mustLook(snapshot: Snapshot): Decision | undefined {
	const look = dueLook(snapshot)
	if (!look || !mayLook(snapshot, look)) return undefined
	const { mode, cause, ask } = look
	const value = ask && snapshot.config.asked[ask]
	const asked = ask && value !== undefined ? { [ask]: value } : {}
	return { act: 'start', why: cause, run: { attempt: nextAttempt(snapshot), mode, cause, asked, failures: 0 }, quiet: true }
}

/** @returns when to decide again because of a read-only run, in milliseconds since 1970, or undefined if none is ever due */
export function nextLookAt(snapshot: Snapshot): number | undefined {
	if (dueLook(snapshot)) return snapshot.now + busyMs
	const at = nextVerifyAt(snapshot)
	return isJudged(snapshot) ? at : undefined
}

function dueLook(snapshot: Snapshot): Look | undefined {
	const { config, node, now } = snapshot
	if (config.deleting || !node || node.ready === 'Unknown') return undefined
	const answered = answeredBy(config.asked, snapshot.runs)
	if (config.asked.plan !== undefined && !answered.includes('plan')) return { mode: 'Plan', cause: 'PlanAsked', ask: 'plan' }
	if (config.asked.verify !== undefined && !answered.includes('verify')) return { mode: 'Verify', cause: 'VerifyAsked', ask: 'verify' }
	if (!isJudged(snapshot)) return undefined
	if (wasBooted(snapshot)) return { mode: 'Verify', cause: 'NodeRebooted' }
	if (hasOtherPodNetworks(snapshot)) return { mode: 'Verify', cause: 'PodNetworksChanged' }
	const at = nextVerifyAt(snapshot)
	return at !== undefined && at <= now ? { mode: 'Verify', cause: 'TimeToVerify' } : undefined
}

/** A requested run does not wait behind automatic verifications. */
function mayLook(snapshot: Snapshot, { ask }: Look): boolean {
	const { settings, looking, freeRuns } = snapshot.rollout
	if (freeRuns <= 0 || looksAreMany(snapshot)) return false
	return ask !== undefined || ('value' in settings && looking < settings.value.maxVerifications)
}

/** A configured node may be verified; one that is being configured, or cannot be, already reports its state. */
function isJudged(snapshot: Snapshot): boolean {
	return isUpToDate(snapshot) && (snapshot.config.status.state === 'Configured' || isDrifted(snapshot.config))
}

/** The node has rebooted since the last run; only a verification shows whether everything is restored. */
function wasBooted(snapshot: Snapshot): boolean {
	const { config, node } = snapshot
	const { bootID } = config.status
	if (!bootID || !node?.bootID || bootID === node.bootID) return false
	return !hasJustLooked(snapshot)
}

/**
 * The node got its pod networks after its last run, or others. That run could not write rules for them, so pods of the node get no answer
 * from the addresses of its NICs.
 */
function hasOtherPodNetworks(snapshot: Snapshot): boolean {
	const then = lastAttempt(snapshot)?.podNetworks
	return then !== undefined && snapshot.node !== undefined && then !== podNetworksOf(snapshot.node)
}

/**
 * `created` is the API server's time, `lookedAt` is the controller's if it created the run; if their clocks differ by hours, only the
 * controller's says how long ago that was.
 */
function hasJustLooked(snapshot: Snapshot): boolean {
	const { config, runs, rollout, now } = snapshot
	if (lastLook(snapshot) && rollout.lookedAt > now - againMs) return true
	return runs.some(run => run.uid === config.uid && run.mode === 'Verify' && run.created > now - againMs)
}

/** Every node has its own time within the interval, so that the fleet is not verified all together. */
function nextVerifyAt({ config, rollout: { settings, lookedAt } }: Snapshot): number | undefined {
	const interval = 'value' in settings ? settings.value.verifyIntervalSeconds * 1_000 : 0
	if (interval === 0) return undefined
	const phase = numberOf(config.uid) % interval
	return phase + (Math.floor((lookedAt - phase) / interval) + 1) * interval
}

/** Any text → an evenly distributed number (FNV-1a). @see RFC 9923 */
function numberOf(text: string): number {
	let hash = 0x811c9dc5
	for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0
	return hash
}
