import type * as z from 'zod'
import { AgentReport } from '../../contract/agent-run.ts'

/** The part of a report that decisions use. The rest is for people, and the reports of a whole fleet are in memory together. */
export const Report = AgentReport.omit({ probes: true, plan: true, drift: true, notes: true, unfinished: true })
export type Report = z.infer<typeof Report>
