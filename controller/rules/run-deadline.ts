import type { Decision } from '../model/decision.ts'
import { currentRun, mayHaveRun, isPodless, isReported, msUntilGivenUp } from '../model/runs.ts'
import type { Run, Snapshot } from '../model/snapshot.ts'
import { lostStatus } from '../status/build-status.ts'
import { duration } from '../model/format.ts'

/**
 * Handles runs that do not end. Kubernetes ends a run at its deadline, with exceptions: a suspended Job, a Job whose pod it is not allowed
 * to change, and a sidecar container. The controller therefore has its own deadline. Pure.
 */

/** Reports the run as lost, once; this frees its slot in the wave. A report that arrives later is still read. */
export function whenRunOverdue(snapshot: Snapshot): Decision | undefined {
	const run = currentRun(snapshot)
	if (!run || run.report || !(run.job ?? run.pod) || isReported(snapshot, run) || msUntilGivenUp(run, snapshot) > 0) return undefined
	const reason = mayHaveRun(run) ? 'RunLost' : 'PodRefused'
	return { act: 'setStatus', why: reason, status: lostStatus(snapshot, run, reason, messageFor(run, snapshot)), result: true }
}

/**
 * Deletes the ConfigMap of a run whose Job created no pod in time. A pod created later could not start without the ConfigMap; the garbage
 * collector deletes the Job.
 */
export function whenNoPodCreated(snapshot: Snapshot): Decision | undefined {
	const { runs, config } = snapshot
	const isAlone = ({ name }: Run) => runs.filter(run => run.name === name).length === 1
	const run = runs.find(
		one => one.uid === config.uid && one.hasConfigMap && isPodless(one) && isAlone(one) && msUntilGivenUp(one, snapshot) <= 0,
	)
	return run && { act: 'deleteRuns', why: 'RunMadeNoPod', runs: [run.name] }
}

function messageFor(run: Run, { settings, noPod }: Snapshot): string {
	const { name, job, pod } = run
	const within = `within ${duration(settings.deadlineMs)}`
	const why = [job?.suspended ? 'the Job is suspended (spec.suspend)' : '', noPod, pod?.refused, job?.failure].filter(Boolean).join('; ')
	const because = why === '' ? '' : `: ${why}`
	if (!pod && !mayHaveRun(run)) return `Job ${name} created no pod ${within}${because}`
	if (!mayHaveRun(run)) return `The pod of Job ${name} did not start ${within}${because}`
	if (pod?.ended) return `Job ${name} finished without a report${because}`
	return `Job ${name} left no report ${within}${because}. The next run on the node starts when its pod has ended`
}
