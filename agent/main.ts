import { existsSync, writeFileSync } from 'node:fs'
import type { AgentReport, RunConfig } from '../contract/agent-run.ts'
import { wordsOf } from '../runtime/errors.ts'
import { addresseeOf, help, parseSettings, readConfig, type Settings } from './config.ts'
import { failure, isFailure } from './failure.ts'
import { hostAt } from './host/host.ts'
import { lock } from './host/lock.ts'
import { createLog } from './log.ts'
import { hardwareOnly, type LinkKinds } from './match.ts'
import { reportBadInput } from './report.ts'
import { reportText, shortText } from './report-text.ts'
import { run } from './run.ts'
import { send } from './send.ts'

/**
 * One run on one node, from the environment to the exit status.
 *
 * @param kinds of link that may be a NIC; kernel tests and the bench call this with `veth` as well
 * @returns 0 all configured, 1 some or all are not, 2 the input is wrong and nothing was touched
 */
export async function main(env: Readonly<Record<string, string | undefined>>, kinds: LinkKinds = hardwareOnly): Promise<number> {
	try {
		const settings = parseSettings(env)
		const config = await goodConfig(settings)
		return await oneRun(config, settings, kinds)
	} catch (error) {
		if (!isFailure(error)) throw error
		process.stderr.write(`${wordsOf(error)}\n`)
		terminationMessage(env.TERMINATION_LOG ?? '/dev/termination-log', wordsOf(error))
		return error.code === 'BAD_INPUT' ? 2 : 1
	}
}

/** A config that is wrong is reported, if it at least says to whom. */
async function goodConfig(settings: Settings): Promise<RunConfig> {
	if (settings.reportFile === undefined && !settings.apiServer)
		throw failure('BAD_INPUT', 'there is neither REPORT_FILE nor KUBERNETES_SERVICE_HOST, so nobody would hear of this run')
	try {
		return readConfig(settings.configPath)
	} catch (error) {
		const addressee = isFailure(error) ? addresseeOf(settings.configPath) : undefined
		if (addressee) {
			const { report: to, ...identity } = addressee
			await hand(reportBadInput(wordsOf(error), identity, new Date()), to, settings)
		}
		throw error
	}
}

async function oneRun(config: RunConfig, settings: Settings, kinds: LinkKinds): Promise<number> {
	const log = createLog(settings.logFormat, line => process.stdout.write(line))
	const report = await locked(settings.hostRoot, () =>
		run(config, hostAt(settings.hostRoot), { log, kinds, apiServer: settings.apiServer }),
	)
	terminationMessage(settings.terminationLog, shortText(report))
	await hand(report, config.report, settings)
	const { outcome, reason, milliseconds, message } = report
	const words = `${outcome}, ${reason}: ${message} in ${((milliseconds.total ?? 0) / 1000).toFixed(1)} s`
	log.tell(outcome === 'Succeeded' ? 'committed' : 'ended', words)
	return outcome === 'Succeeded' ? 0 : 1
}

async function locked<T>(hostRoot: string, work: () => Promise<T>): Promise<T> {
	const unlock = await lock(hostRoot)
	try {
		return await work()
	} finally {
		unlock()
	}
}

async function hand(report: AgentReport, to: RunConfig['report'], { reportFile, apiServer, serviceAccount }: Settings): Promise<void> {
	if (reportFile !== undefined) writeFileSync(reportFile, reportText(report))
	else if (apiServer) await send(reportText(report), to, { apiServer, serviceAccount })
}

/** The kubelet makes this file beforehand; where it is not, nobody reads it. */
function terminationMessage(path: string, text: string): void {
	if (existsSync(path)) writeFileSync(path, text)
}

if (import.meta.main) {
	if (process.argv.includes('--help')) process.stdout.write(help)
	else process.exitCode = await main(process.env)
}
