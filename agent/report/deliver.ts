import { existsSync, writeFileSync } from 'node:fs'
import type { AgentReport, RunConfig } from '../../contract/agent-run.ts'
import type { Settings } from '../config.ts'
import { wordsOf } from '../failure.ts'
import { type Log, tellError } from '../log.ts'
import { reportText, shortText } from './text.ts'
import { send } from './send.ts'

/**
 * Hands a report over: the short form as termination message, which is there even if nothing else can be reached, then the whole.
 *
 * @returns whether the whole report has arrived; why not is told
 */
export async function deliver(
	report: AgentReport,
	to: RunConfig['report'],
	{ reportFile, terminationLog, apiServer, serviceAccount }: Settings,
	log: Log,
): Promise<boolean> {
	terminationMessage(terminationLog, shortText(report), log)
	try {
		if (reportFile !== undefined) writeFileSync(reportFile, reportText(report))
		else if (apiServer) await send(reportText(report), to, { apiServer, serviceAccount })
		return reportFile !== undefined || apiServer !== undefined
	} catch (error) {
		tellError(log, 'not reported', error)
		return false
	}
}

/** Leaves words for whoever looks at the pod. The kubelet makes this file beforehand; where it is not, nobody reads it. */
export function terminationMessage(path: string, text: string, log: Log): void {
	try {
		if (existsSync(path)) writeFileSync(path, text)
	} catch (error) {
		// It lies on the node's own disk, which may be full; the report itself must go out all the same.
		log.tell('no last words', wordsOf(error))
	}
}
