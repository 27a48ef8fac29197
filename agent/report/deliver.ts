import { existsSync, writeFileSync } from 'node:fs'
import type { AgentReport, RunConfig } from '../../contract/agent-run.ts'
import { wordsOf } from '../model/failure.ts'
import type { Log } from '../model/run-log.ts'
import { logError } from './log.ts'
import { reportText, shortText } from './report-text.ts'
import { type ApiServer, send } from './send-to-api-server.ts'

/** Where a report can be delivered. */
export type Destinations = {
	reportFile?: string | undefined
	terminationLog: string
	apiServer?: ApiServer | undefined
	/** Directory with the service account's token and the API server's CA certificate. */
	serviceAccount: string
}

/**
 * Delivers a report: first the short form as the termination message, which is available even if nothing else can be reached, then the
 * whole report.
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
		logError(log, 'not reported', error)
		return false
	}
}

/** Writes a message for users who inspect the pod. The kubelet creates this file in advance; if it does not exist, no process reads it. */
export function terminationMessage(path: string, text: string, log: Log): void {
	try {
		if (existsSync(path)) writeFileSync(path, text)
	} catch (error) {
		// The file is on the node's own disk, which may be full; the report itself must still be sent.
		log.step('no termination message', wordsOf(error))
	}
}
