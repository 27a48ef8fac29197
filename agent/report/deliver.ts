import { existsSync, writeFileSync } from 'node:fs'
import type { AgentReport, RunConfig } from '../../contract/agent-run.ts'
import type { Settings } from '../config.ts'
import { wordsOf } from '../failure.ts'
import { type Log, tellError } from '../log.ts'
import { reportText, shortText } from './text.ts'
import { send } from './send.ts'

/**
 * Delivers a report: the short form as termination message, which exists even if nothing else can be reached, then the whole report.
 *
 * @returns whether the whole report was delivered; if not, the cause is logged
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

/** Writes a message for users who inspect the pod. The kubelet creates this file beforehand; if it does not exist, no process reads it. */
export function terminationMessage(path: string, text: string, log: Log): void {
	try {
		if (existsSync(path)) writeFileSync(path, text)
	} catch (error) {
		// The file is on the node's own disk, which may be full; the report itself must be sent anyway.
		log.tell('no last words', wordsOf(error))
	}
}
