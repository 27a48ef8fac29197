import type { WantedInterface } from '../../contract/interface.ts'
import { isRecordLost } from '../model/record.ts'
import { backendOf } from '../persist/backend.ts'
import { limitsOf, notAllowed } from '../plan/limit-checks.ts'
import { countChanges } from '../plan/plan.ts'
import { tellInterfaces } from '../report/log-run.ts'
import type { Outcome } from '../report/outcome.ts'
import { doneWords } from '../report/plan-words.ts'
import { isDry, type Tally, timed } from '../report/tally.ts'
import type { Attempt } from './attempt-input.ts'
import { attempt } from './attempt.ts'
import { lessonWords } from './retry-words.ts'
import { leftOut, nextAttempt, type Retry } from './retry.ts'
import type { Run } from './run-context.ts'

/** After this time no path is risked any more, because the Job has 300 s in total (milliseconds since the run began). */
const LAST_RISK = 200_000

const RECORD_LOST =
	'the record of this host (/var/lib/multinic/record.json) is lost: what is ours was read from our files; what was there before is not known, so a removed NIC keeps its name until the next boot'

/** Tries again as long as each attempt gives a reason to, so that one faulty NIC does not block the others. */
export async function converge(
	interfaces: readonly WantedInterface[],
	run: Run,
	known: Retry,
): Promise<{ outcome: Outcome; retry: Retry }> {
	// A link that appeared since the last call is itself a reason to try again, so attempts are counted from zero.
	let retry: Retry = { ...known, attempts: 0, most: undefined }
	for (;;) {
		const outcome = await attempt(taskOf(interfaces, run, retry))
		const { retry: next, lesson } = nextAttempt(retry, outcome, performance.now() < run.began + LAST_RISK)
		count(outcome, run.tally)
		retry = next
		if (!lesson) return { outcome, retry }
		const [what, words] = lessonWords(lesson, { interfaces, outcome, retry })
		run.surrounding.log.tell(what, words)
	}
}

function taskOf(interfaces: readonly WantedInterface[], run: Run, retry: Retry): Attempt {
	const { config, host, surrounding, tally } = run
	const limits = limitsOf(config, surrounding.apiServer?.host)
	const left = leftOut(retry)
	return {
		wanted: {
			interfaces,
			nodeAddresses: config.nodeAddresses,
			kinds: surrounding.kinds,
			...left,
			failed: new Map([...notAllowed(interfaces, limits), ...left.failed]),
			protectedNetworks: limits.protectedNetworks,
			apiServer: surrounding.apiServer?.host,
			needed: [...(surrounding.apiServer ? [surrounding.apiServer.host] : []), ...host.nameservers()],
		},
		host,
		log: surrounding.log,
		planned: (plan, state) => {
			const found = backendOf(state)
			run.heading('backend' in found ? found.backend : 'unknown')
			if (isRecordLost(state)) tally.notes.add(RECORD_LOST)
			tellInterfaces(plan, state, { log: surrounding.log, mode: config.mode })
		},
		tag: `g${config.generation}-${config.attempt}-${tally.started.getTime().toString(36)}-${retry.turn}`,
		commitTimeoutSeconds: config.commitTimeoutSeconds,
		apiServer: surrounding.apiServer,
		dry: isDry(config),
		asksGateways: config.mode !== 'Plan',
		renameDown: retry.renameDown,
		excused: retry.excused,
		timed: (phase, work) => timed(tally, phase, work),
	}
}

function count({ plan, warnings, notes, failed, lostByOthers = [] }: Outcome, tally: Tally): void {
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
