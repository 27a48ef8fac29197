import type * as z from 'zod'
import { AgentReport } from '../../contract/agent-run.ts'

/**
 * The fields of a report that decisions use. The other fields are only for people and are dropped, because the reports of the whole fleet
 * are kept in memory.
 */
export const Report = AgentReport.omit({ probes: true, plan: true, drift: true, notes: true, unfinished: true })
export type Report = z.infer<typeof Report>
