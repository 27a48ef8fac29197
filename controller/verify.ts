import { type Ask, answeredBy } from './asked.ts'
import { statusChange } from './change.ts'
import type { Decision } from './decision.ts'
import { attemptsOf, condition, isDrifted, isUpToDate, looksAreMany, nextAttempt } from './runs.ts'
import type { Mode, Run, Snapshot } from './snapshot.ts'
import { verifiedStatus } from './status.ts'

/** Runs that only look: because a person asks, because the node was booted anew, because it is time. Pure. */

type Look = { mode: Mode; cause: string; ask?: Ask }

/** How soon after a look that came to nothing another may be made, and how long one waits for others to end (milliseconds). */
const againMs = 300_000
const busyMs = 30_000

/** A look that found another node than the status tells of. One that found what was known costs no write. */
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

/** The last run of all of this generation, if it was one that verifies: what changes a node makes older looks worthless. */
function lastLook(snapshot: Snapshot): Run | undefined {
	const last = attemptsOf(snapshot).reduce<Run | undefined>((best, run) => (best && best.attempt > run.attempt ? best : run), undefined)
	return last?.mode === 'Verify' ? last : undefined
}

/** Something is to be looked at, and may be. */
export function mustLook(snapshot: Snapshot): Decision | undefined {
	const look = dueLook(snapshot)
	if (!look || !mayLook(snapshot, look)) return undefined
	const { mode, cause, ask } = look
	const value = ask && snapshot.config.asked[ask]
	const asked = ask && value !== undefined ? { [ask]: value } : {}
	return { act: 'start', why: cause, run: { attempt: nextAttempt(snapshot), mode, cause, asked, failures: 0 }, quiet: true }
}

/** @returns when to decide again for the sake of a look, in milliseconds since 1970, or undefined where none is ever due */
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
	const at = nextVerifyAt(snapshot)
	return at !== undefined && at <= now ? { mode: 'Verify', cause: 'TimeToVerify' } : undefined
}

/** A person need not wait for looks that nobody waits for. */
function mayLook(snapshot: Snapshot, { ask }: Look): boolean {
	const { settings, looking, freeRuns } = snapshot.rollout
	if (freeRuns <= 0 || looksAreMany(snapshot)) return false
	return ask !== undefined || ('value' in settings && looking < settings.value.maxVerifications)
}

/** What was configured may be looked at; what is being configured, or cannot be, tells of itself. */
function isJudged(snapshot: Snapshot): boolean {
	return isUpToDate(snapshot) && (snapshot.config.status.state === 'Configured' || isDrifted(snapshot))
}

/** The boot that the last run saw is over; whether everything came back is known only after a look. */
function wasBooted(snapshot: Snapshot): boolean {
	const { config, node } = snapshot
	const { bootID } = config.status
	if (!bootID || !node?.bootID || bootID === node.bootID) return false
	return !hasJustLooked(snapshot)
}

/** The API server's clock says when a run was created, ours when we made it; where they differ by hours, only ours says how long ago. */
function hasJustLooked(snapshot: Snapshot): boolean {
	const { config, runs, rollout, now } = snapshot
	if (lastLook(snapshot) && rollout.lookedAt > now - againMs) return true
	return runs.some(run => run.uid === config.uid && run.mode === 'Verify' && run.created > now - againMs)
}

/** Every node has a moment of its own within the interval, so that a fleet is not looked at all at once. */
function nextVerifyAt({ config, rollout: { settings, lookedAt } }: Snapshot): number | undefined {
	const interval = 'value' in settings ? settings.value.verifyIntervalSeconds * 1_000 : 0
	if (interval === 0) return undefined
	const phase = numberOf(config.uid) % interval
	return phase + (Math.floor((lookedAt - phase) / interval) + 1) * interval
}

/** Any text → a number that is spread evenly (FNV-1a). @see RFC 9923 */
function numberOf(text: string): number {
	let hash = 0x811c9dc5
	for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0
	return hash
}
