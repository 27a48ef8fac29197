import type { RunConfig } from '../../contract/run-config.ts'
import type { Log } from '../model/run-log.ts'
import type { LinkKinds } from '../plan/match-link.ts'
import type { Tally } from '../report/tally.ts'
import type { Host } from './host.ts'

export type Surrounding = {
	log: Log
	/** Kinds of link that may be a NIC. */
	kinds: LinkKinds
	apiServer: { host: string; port: number } | undefined
}

export type Run = {
	config: RunConfig
	host: Host
	surrounding: Surrounding
	tally: Tally
	/** When it began: milliseconds of `performance.now()`. */
	began: number
	heading(backend: string): void
}
