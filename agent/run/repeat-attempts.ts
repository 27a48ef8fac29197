import type { WantedInterface } from '../../contract/interface.ts'
import { isRecordLost } from '../model/record.ts'
import { backendOf } from '../persist/backend.ts'
import { limitsOf, notAllowed } from '../plan/limit-checks.ts'
import { countChanges } from '../plan/plan.ts'
import { logInterfaces } from '../report/log-run.ts'
import type { Outcome } from '../report/outcome.ts'
import { doneWords } from '../report/plan-words.ts'
import { isDry, type Tally, timed } from '../report/tally.ts'
import type { AttemptInput } from './attempt-input.ts'
import { attempt } from './attempt.ts'
import { retryWords } from './retry-words.ts'
import { excluded, nextAttempt, type RetryState } from './retry.ts'
import type { RunState } from './run-context.ts'

/** After this time no path is risked any more, because the Job has 300 s in total (milliseconds since the run began). */
const RISK_UNTIL_MS = 200_000

const RECORD_LOST =
	'the record of this host (/var/lib/multinic/record.json) is lost: what is ours was read from our files; what was there before is not known, so a removed NIC keeps its name until the next boot'

/** Tries again as long as each attempt gives a reason to, so that one faulty NIC does not block the others. */
export async function repeatAttempts(
	interfaces: readonly WantedInterface[],
	run: RunState,
	known: RetryState,
): Promise<{ outcome: Outcome; retry: RetryState }> {
	// A link that appeared since the last call is itself a reason to try again, so attempts are counted from zero.
	let retry: RetryState = { ...known, attempts: 0, most: undefined }
	for (;;) {
		const outcome = await attempt(attemptInput(interfaces, run, retry))
		const { retry: next, reason } = nextAttempt(retry, outcome, performance.now() < run.began + RISK_UNTIL_MS)
		addToTally(outcome, run.tally)
		retry = next
		if (!reason) return { outcome, retry }
		const [what, words] = retryWords(reason, { interfaces, outcome, retry })
		run.context.log.step(what, words)
	}
}

function attemptInput(interfaces: readonly WantedInterface[], run: RunState, retry: RetryState): AttemptInput {
	const { config, host, context, tally } = run
	const limits = limitsOf(config, context.apiServer?.host)
	const left = excluded(retry)
	return {
		wanted: {
			interfaces,
			nodeAddresses: config.nodeAddresses,
			kinds: context.kinds,
			...left,
			failed: new Map([...notAllowed(interfaces, limits), ...left.failed]),
			protectedNetworks: limits.protectedNetworks,
			apiServer: context.apiServer?.host,
			needed: [...(context.apiServer ? [context.apiServer.host] : []), ...host.nameservers()],
		},
		host,
		log: context.log,
		planned: (plan, state) => {
			const found = backendOf(state)
			run.logHeading('backend' in found ? found.backend : 'unknown')
			if (isRecordLost(state)) tally.notes.add(RECORD_LOST)
			logInterfaces(plan, state, { log: context.log, mode: config.mode })
		},
		tag: `g${config.generation}-${config.attempt}-${tally.started.getTime().toString(36)}-${retry.attemptCount}`,
		commitTimeoutSeconds: config.commitTimeoutSeconds,
		apiServer: context.apiServer,
		isDry: isDry(config),
		probesGateways: config.mode !== 'Plan',
		renameDown: retry.renameDown,
		excused: retry.excused,
		timed: (phase, work) => timed(tally, phase, work),
	}
}

function addToTally({ plan, warnings, notes, failed, lostByOthers = [] }: Outcome, tally: Tally): void {
	for (const { words } of lostByOthers) tally.notes.add(`changed by another program during the run: ${words}`)
	if (failed) return
	if (warnings) tally.warnings = new Map(warnings)
	for (const note of notes ?? []) tally.notes.add(note)
	if (isDry(tally.config)) return
	for (const { nic } of plan.accepted) {
		tally.changes.set(nic.id, (tally.changes.get(nic.id) ?? 0) + countChanges(plan.steps, nic.id))
		tally.done.set(nic.id, [...(tally.done.get(nic.id) ?? []), ...doneWords(plan.steps, nic.id)])
	}
	tally.total += countChanges(plan.steps)
}
