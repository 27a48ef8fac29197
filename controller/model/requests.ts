import { type Ask, ASKS } from '../../contract/names.ts'
import { shortened } from './shortened.ts'

/** Requests of a person by annotation. Each has its own value, which shows whether it was answered. Pure. */

const kinds = Object.keys(ASKS) as Ask[]

export type Asked = Readonly<Partial<Record<Ask, string>>>

/** @returns the requests in these annotations, of a node config or of a run; a long value is shortened, the same way in both */
export function askedIn(written: Readonly<Record<string, string>> | undefined): Asked {
	const entries = kinds.flatMap(kind => {
		const value = written?.[ASKS[kind]]
		return value === undefined ? [] : [[kind, shortened(value)]]
	})
	return Object.fromEntries(entries)
}

/** Returns the annotations of a run that answers these requests. */
export function answering(asked: Asked): Record<string, string> {
	return Object.fromEntries(Object.entries(asked).map(([kind, value]) => [ASKS[kind as Ask], value]))
}

/** Returns the merge patch of the annotations that removes these requests. */
export function withdrawn(asks: readonly Ask[]): Record<string, null> {
	return Object.fromEntries(asks.map(kind => [ASKS[kind], null]))
}

/** What shows of a run whether it was started, and for which requests. */
type Asking = { asked: Asked; job?: unknown; pod?: unknown; report?: unknown }

/**
 * @returns the requests that one of these runs was started for. A ConfigMap alone starts nothing: the controller may have died before it
 *   created the Job.
 */
export function answeredBy(asked: Asked, runs: readonly Asking[]): Ask[] {
	const started = runs.filter(({ job, pod, report }) => (job ?? pod ?? report) !== undefined)
	return kinds.filter(kind => asked[kind] !== undefined && started.some(run => run.asked[kind] === asked[kind]))
}
