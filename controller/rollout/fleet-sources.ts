import type { Stop } from './member.ts'
import type { ConfigView, Mode, NodeView, Run } from '../model/snapshot.ts'

/** The sources of the fleet's state, and its callbacks. */
export type FleetSources = {
	configOf(name: string): ConfigView | undefined
	nodeOf(name: string): NodeView | undefined
	runsOf(name: string): readonly Run[]
	/** Why the node stops the rollout, as recorded by an earlier controller process. */
	recordedStop(name: string): Stop | undefined
	/** Called when the set of nodes that stop the rollout changes, or one of their reasons. */
	stopsChanged(): void
	/** Returns the number of runs of these modes in progress. */
	active(is: (mode: Mode) => boolean): number
	/** Called with the name of a node that may be next in the queue. */
	wake(name: string): void
	maxConcurrentRuns: number
	/** When this process started (milliseconds since 1970). */
	startedAt: number
}
