import type { AgentReport } from '../../contract/agent-run.ts'
import type { Reason } from '../../contract/reasons.ts'

/**
 * `path`: the file not managed by MultiNIC that is the cause, if there is one; `isUnclear`: that file cannot be read and may be the cause.
 */

export type Contradiction = { reason: Reason; message: string; path?: string; isUnclear?: boolean }

export type Proof = { persistent: AgentReport['persistent']; warnings: ReadonlyMap<number, Contradiction> }
