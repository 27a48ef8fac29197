import { type Ask, ASKS } from '../../contract/names.ts'
import { shortened } from './shortened.ts'

/** Requests that a person makes by annotation. Each request has a unique value, which identifies the run that answers it. Pure. */

const kinds = Object.keys(ASKS) as Ask[]

export type Requests = Readonly<Partial<Record<Ask, string>>>

/**
 * @returns the requests in the annotations of a node config or a run; long values are shortened identically in both, so that they can be
 *   compared
 */
export function requestsIn(written: Readonly<Record<string, string>> | undefined): Requests {
	const entries = kinds.flatMap(kind => {
		const value = written?.[ASKS[kind]]
		return value === undefined ? [] : [[kind, shortened(value)]]
	})
	return Object.fromEntries(entries)
}

/** Returns the annotations of a run that answers these requests. */
export function requestAnnotations(requests: Requests): Record<string, string> {
	return Object.fromEntries(Object.entries(requests).map(([kind, value]) => [ASKS[kind as Ask], value]))
}

/** Returns a merge patch for the annotations that removes these requests. */
export function removeAnnotations(asks: readonly Ask[]): Record<string, null> {
	return Object.fromEntries(asks.map(kind => [ASKS[kind], null]))
}

/** The parts of a run that show whether it was started, and for which requests. */
type StartedRun = { requests: Requests; job?: unknown; pod?: unknown; report?: unknown }

/**
 * @returns the requests for which one of these runs was started. A run with only a ConfigMap was not started: the controller may have died
 *   before it created the Job.
 */
export function answeredRequests(requests: Requests, runs: readonly StartedRun[]): Ask[] {
	const started = runs.filter(({ job, pod, report }) => (job ?? pod ?? report) !== undefined)
	return kinds.filter(kind => requests[kind] !== undefined && started.some(run => run.requests[kind] === requests[kind]))
}
