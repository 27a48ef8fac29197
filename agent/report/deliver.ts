import { existsSync, writeFileSync } from 'node:fs'
import type { AgentReport, RunConfig } from '../../contract/agent-run.ts'
import { wordsOf } from '../model/failure.ts'
import type { Log } from '../model/run-log.ts'
import { tellError } from './log.ts'
import { reportText, shortText } from './report-text.ts'
import { type ApiServer, send } from './send-to-api-server.ts'

/** Where a report can be delivered. */
export type Destinations = {
	reportFile?: string | undefined
	terminationLog: string
	apiServer?: ApiServer | undefined
	/** Folder of the token and the certificate of the API server. */
	serviceAccount: string
}

/**
 * Delivers a report: the short form as termination message, which exists even if nothing else can be reached, then the whole report.
 *
 * @returns whether the whole report was delivered; if not, the cause is logged
 */
export async function deliver(
	report: AgentReport,
	to: RunConfig['report'],
	{ reportFile, terminationLog, apiServer, serviceAccount }: Destinations,
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
