import { ANNOTATION_PLAN, ANNOTATION_RETRY, ANNOTATION_VERIFY } from '../../contract/names.ts'
import { shortened } from './shortened.ts'

/** Requests of a person by annotation. Each has its own value, which shows whether it was answered. Pure. */

const annotations = { retry: ANNOTATION_RETRY, plan: ANNOTATION_PLAN, verify: ANNOTATION_VERIFY }
const kinds = Object.keys(annotations) as RequestKind[]

export type RequestKind = keyof typeof annotations
export type Requests = Readonly<Partial<Record<RequestKind, string>>>

/** @returns the requests in these annotations, of a node config or of a run; a long value is shortened, the same way in both */
export function requestsIn(written: Readonly<Record<string, string>> | undefined): Requests {
	const entries = kinds.flatMap(kind => {
		const value = written?.[annotations[kind]]
		return value === undefined ? [] : [[kind, shortened(value)]]
	})
	return Object.fromEntries(entries)
}

/** Returns the annotations of a run that answers these requests. */
export function requestAnnotations(requests: Requests): Record<string, string> {
	return Object.fromEntries(Object.entries(requests).map(([kind, value]) => [annotations[kind as RequestKind], value]))
}

/** Returns the merge patch of the annotations that removes these requests. */
export function removeAnnotations(asks: readonly RequestKind[]): Record<string, null> {
	return Object.fromEntries(asks.map(kind => [annotations[kind], null]))
}

/** What shows of a run whether it was started, and for which requests. */
type StartedRun = { requests: Requests; job?: unknown; pod?: unknown; report?: unknown }

/**
 * @returns the requests that one of these runs was started for. A ConfigMap alone starts nothing: the controller may have died before it
 *   created the Job.
 */
export function answeredRequests(requests: Requests, runs: readonly StartedRun[]): RequestKind[] {
	const started = runs.filter(({ job, pod, report }) => (job ?? pod ?? report) !== undefined)
	return kinds.filter(kind => requests[kind] !== undefined && started.some(run => run.requests[kind] === requests[kind]))
}
