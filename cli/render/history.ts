import type { HistoryEntry } from '../../contract/node-config.ts'
import { ageOf } from './age.ts'
import { type Colours, stateCell } from './colours.ts'
import { type Cell, table } from './columns.ts'

/** @returns the runs in a status as a table, newest first: in the order of the status, because node clocks may go backwards. Pure. */
export function historyTable(history: readonly HistoryEntry[], now: number, colours: Colours): string[] {
	const rows: Cell[][] = history.map(({ generation, job, started, seconds, changes, result, cause, failureReason }) => [
		ageOf(started, now),
		String(generation),
		cause ?? '-',
		stateCell(result, colours),
		failureReason ?? '-',
		String(changes),
		`${seconds} s`,
		job,
	])
	return table([['STARTED', 'GENERATION', 'CAUSE', 'RESULT', 'REASON', 'CHANGES', 'TOOK', 'JOB'], ...rows])
}
