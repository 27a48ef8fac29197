import type { Stop } from './member.ts'
import type { ConfigView, Mode, NodeView, Run } from '../model/snapshot.ts'

/** Where the fleet reads its current state from. */
export type FleetSources = {
	configOf(name: string): ConfigView | undefined
	nodeOf(name: string): NodeView | undefined
	runsOf(name: string): readonly Run[]
	/** What an earlier controller recorded about why that node stops the rollout. */
	recordedStop(name: string): Stop | undefined
	/** Called when other nodes stop the rollout, or when their reasons change. */
	stopsChanged(): void
	/** The number of runs of these modes in progress. */
	active(is: (mode: Mode) => boolean): number
	/** Called with the name of a node that may be next. */
	wake(name: string): void
	maxConcurrentRuns: number
	/** When this process began to observe (milliseconds since 1970). */
	startedAt: number
}
