import type { RunConfig } from '../../contract/run-config.ts'
import type { Log } from '../model/run-log.ts'
import type { LinkKinds } from '../plan/match-link.ts'
import type { Tally } from '../report/tally.ts'
import type { Host } from './host.ts'

export type RunContext = {
	log: Log
	/** Kinds of link that may be a NIC. */
	kinds: LinkKinds
	apiServer: { host: string; port: number } | undefined
}

export type RunState = {
	config: RunConfig
	host: Host
	context: RunContext
	tally: Tally
	/** When the run began: a value of `performance.now()` (milliseconds). */
	began: number
	logHeading(backend: string): void
}
