import type { Reason } from '../../contract/reasons.ts'

/** A warning about an interface that is configured nevertheless. */

export type Warning = { reason: Reason; message: string }
