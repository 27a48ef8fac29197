import type { RunConfig } from '../contract/agent-run.ts'
import { addresseeOf, parseSettings, readConfig, type Settings } from './config.ts'
import { formatFor, help, parseFlags, TERMINATION_LOG } from './flags.ts'
import { acquireLock } from './host/run-lock.ts'
import { type Code, failure, isFailure, reasonOf, wordsOf } from './model/failure.ts'
import { hardwareOnly, type LinkKinds } from './plan/match-link.ts'
import { deliver, terminationMessage } from './report/deliver.ts'
import { logResult } from './report/log-run.ts'
import { createLog, logError } from './report/log.ts'
import { oneLine } from './report/one-line.ts'
import { reportEarlyEnd } from './report/report.ts'
import { hostAt } from './run/host.ts'
import { run } from './run/run.ts'

/**
 * Executes one run on one node, from the environment to the exit status.
 *
 * @param kinds of link that may be a NIC; kernel tests and the bench also pass `veth`
 * @param args command-line arguments, without the program name
 * @returns the exit status, as documented by `--help`
 */
export async function main(env: Env, kinds: LinkKinds = hardwareOnly, args: readonly string[] = []): Promise<number> {
	try {
		const flags = parseFlags(args)
		if (flags.help) return printHelp()
		const settings = parseSettings(env, flags)
		return await Promise.race([oneRun(settings, kinds), uncaught()]).catch(error => earlyEnd(error, settings))
	} catch (error) {
		const log = createLog(formatFor(env, args), toStderr)
		logError(log, 'failed', error)
		terminationMessage(env.TERMINATION_LOG ?? TERMINATION_LOG, oneLine(wordsOf(error)), log)
		return exitStatus(error)
	}
}

type Env = Readonly<Record<string, string | undefined>>

function printHelp(): number {
	process.stdout.write(help)
	return 0
}

async function oneRun(settings: Settings, kinds: LinkKinds): Promise<number> {
	if (settings.reportFile === undefined && !settings.apiServer)
		throw failure('BAD_INPUT', 'set REPORT_FILE, or run in a pod (KUBERNETES_SERVICE_HOST): otherwise the report has no destination')
	const config = readConfig(settings)
	const log = createLog(settings.logFormat, line => process.stdout.write(line))
	const report = await withLock(settings.hostRoot, config, () =>
		run(config, hostAt(settings.hostRoot), { log, kinds, apiServer: settings.apiServer }),
	)
	logResult(log, report)
	const arrived = await deliver(report, config.report, settings, log)
	return arrived && report.outcome === 'Succeeded' ? 0 : 1
}

async function withLock<T>(hostRoot: string, config: RunConfig, work: () => Promise<T>): Promise<T> {
	const unlock = await acquireLock(hostRoot, config)
	try {
		return await work()
	} finally {
		unlock()
	}
}

/** Rejects with the first uncaught exception or unhandled rejection. A second one terminates the process immediately. */
function uncaught(): Promise<never> {
	return new Promise((_, reject) => process.once('uncaughtException', reject))
}

/**
 * Reports a run that could not report itself: the input is invalid, the host is locked, or the agent has a bug.
 *
 * @throws the given error if it is unknown where to send the report
 */
async function earlyEnd(error: unknown, settings: Settings): Promise<number> {
	const addressee = addresseeOf(settings)
	if (!addressee) throw error
	const log = createLog(settings.logFormat, toStderr)
	logError(log, 'failed', error)
	const { report: to, ...identity } = addressee
	const cause = isFailure<Code>(error)
		? { reason: reasonOf(error.code), message: wordsOf(error) }
		: { reason: 'RunFailed' as const, message: `the agent stopped on an unexpected error${whatRemains(settings)}: ${wordsOf(error)}` }
	await deliver(reportEarlyEnd(cause, identity, new Date()), to, settings, log)
	return exitStatus(error)
}

function whatRemains({ hostRoot }: Settings): string {
	return hostAt(hostRoot).isArmed() ? ', the host or the next run rolls back its changes' : ''
}

function exitStatus(error: unknown): number {
	return isFailure<Code>(error, 'BAD_INPUT') ? 2 : 1
}

function toStderr(line: string): void {
	process.stderr.write(line)
}

// After a bug, unfinished work may remain; exiting stops it.
if (import.meta.main) main(process.env, hardwareOnly, process.argv.slice(2)).then(status => process.exit(status))
