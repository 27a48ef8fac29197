import type { WantedInterface } from '../../contract/interface.ts'
import { isRecordLost } from '../model/record.ts'
import { backendOf } from '../persist/backend.ts'
import { limitsOf, notAllowed } from '../plan/limit-checks.ts'
import { countChanges } from '../plan/plan.ts'
import { logInterfaces } from '../report/log-run.ts'
import { isFailed, type Outcome } from '../report/outcome.ts'
import { doneWords } from '../report/plan-words.ts'
import { isDry, type Tally, timed } from '../report/tally.ts'
import type { AttemptInput } from './attempt-input.ts'
import { attempt } from './attempt.ts'
import { retryWords } from './retry-words.ts'
import { excluded, next, type RetryState } from './retry.ts'
import type { RunState } from './run-context.ts'

/** From this time on, no attempt may risk losing a path, because the Job is limited to 300 s (milliseconds since the run began). */
const RISK_UNTIL_MS = 200_000

const RECORD_LOST =
	'the record of this host (/var/lib/multinic/record.json) is lost: the managed configuration was read from the files of MultiNIC; the original configuration is unknown, so a removed NIC keeps its name until the next boot'

/** Repeats the attempt as long as there is a reason to retry, so that one faulty NIC does not block the others. */
export async function repeatAttempts(
	interfaces: readonly WantedInterface[],
	run: RunState,
	known: RetryState,
): Promise<{ outcome: Outcome; retry: RetryState }> {
	// A link that appeared since the last call is itself a reason to retry, so the budget of attempts is reset.
	let state: RetryState = { ...known, budget: undefined }
	for (;;) {
		const outcome = await attempt(attemptInput(interfaces, run, state))
		const then = next(state, outcome, run.began + RISK_UNTIL_MS - performance.now())
		addToTally(outcome, run.tally)
		state = then.state
		if (then.kind === 'end') return { outcome, retry: state }
		const [what, words] = retryWords(then.reason, { interfaces, outcome, retry: state })
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
			needed: [context.apiServer?.host, ...host.nameservers()].filter(address => address !== undefined),
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

function addToTally(outcome: Outcome, tally: Tally): void {
	if (isFailed(outcome)) {
		for (const { words } of outcome.lostByOthers) tally.notes.add(`changed by another program during the run: ${words}`)
		return
	}
	tally.warnings = new Map(outcome.warnings)
	for (const note of outcome.notes) tally.notes.add(note)
	if (outcome.kind !== 'committed') return
	const { accepted, steps } = outcome.plan
	for (const { nic } of accepted) {
		tally.changes.set(nic.id, (tally.changes.get(nic.id) ?? 0) + countChanges(steps, nic.id))
		tally.done.set(nic.id, [...(tally.done.get(nic.id) ?? []), ...doneWords(steps, nic.id)])
	}
	tally.total += countChanges(steps)
}
