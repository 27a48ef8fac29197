import type { Stop } from './member.ts'
import type { ConfigView, Mode, NodeView, Run } from './snapshot.ts'

/** What the fleet is made of, as far as it is known now. */
export type FleetSources = {
	configOf(name: string): ConfigView | undefined
	nodeOf(name: string): NodeView | undefined
	runsOf(name: string): readonly Run[]
	/** What an earlier controller has written down of why that node stops the others. */
	recordedStop(name: string): Stop | undefined
	/** Told that other nodes, or for other reasons, stop the others now. */
	stopsChanged(): void
	/** Runs under way of these modes. */
	active(is: (mode: Mode) => boolean): number
	/** Told the name of a node whose turn may have come. */
	wake(name: string): void
	maxConcurrentRuns: number
	/** Since when we know what happens (milliseconds since 1970). */
	startedAt: number
}
