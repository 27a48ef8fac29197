import { setTimeout as sleep } from 'node:timers/promises'
import type { AgentReport, RunConfig } from '../../contract/agent-run.ts'
import { type Bases, DEFAULT_BASES } from '../../contract/bases.ts'
import { settle, type WantedInterface } from '../../contract/interface.ts'
import { type Code, isFailure } from '../model/failure.ts'
import type { Log } from '../model/run-log.ts'
import { startOpenStackCheck } from '../openstack/compare.ts'
import { isRefusal, matchLink } from '../plan/match-link.ts'
import { logHeading } from '../report/log-run.ts'
import { logError } from '../report/log.ts'
import { isFailed, type Outcome } from '../report/outcome.ts'
import { reportFailure, reportOutcome } from '../report/report.ts'
import { isDry, type Tally, timed } from '../report/tally.ts'
import type { Host } from './host.ts'
import { repeatAttempts } from './repeat-attempts.ts'
import { FIRST_STATE } from './retry.ts'
import { repeatUndo } from './roll-back.ts'
import type { RunContext, RunState } from './run-context.ts'

/** run/: one run, from the config to the report. Uses all the other directories of the agent. */

/**
 * Executes one run: rolls back an unfinished earlier run, then configures every interface that it can. An interface that makes an attempt
 * fail is excluded, and the others are tried again. If the link of an interface does not exist yet, the run configures the others first,
 * then waits for the link.
 *
 * @returns the report, also if the run fails; throws only because of a bug
 */
export async function run(config: RunConfig, host: Host, context: RunContext): Promise<AgentReport> {
	const tally = newTally(config)
	const began = performance.now()
	/** The current time, independent of changes to the wall clock during the run. */
	const now = () => new Date(tally.started.getTime() + Math.round(performance.now() - began))
	const interfaces =
		config.mode === 'Cleanup' ? [] : settle(config.interfaces, { bases: basesIn(config), podNetworks: config.podNetworks ?? [] })
	const logHeadingOnce = once((backend: string) => logHeading(tally, backend, context.log))
	const openStack = startOpenStackCheck(host, interfaces, context.log)
	try {
		await rollBackUnfinishedRun(host, tally, context.log)
		const outcome = await retryWhileDevicesMissing(interfaces, { config, host, context, tally, began, logHeading: logHeadingOnce })
		await timed(tally, 'probe', () => openStack.collect(outcome.state.links))
		return await openStack.addTo(reportOutcome(outcome, tally, now()))
	} catch (error) {
		if (!isFailure<Code>(error)) throw error
		logHeadingOnce('unknown')
		logError(context.log, 'failed', error)
		return openStack.addTo(reportFailure(error, interfaces, tally, now()))
	} finally {
		openStack.end()
	}
}

/** The bases in the config. A config without them comes from a controller that does not support setting them, so the defaults apply. */
function basesIn({ routeTableBase: table = DEFAULT_BASES.table, rulePriorityBase: priority = DEFAULT_BASES.priority }: RunConfig): Bases {
	return { table, priority }
}

function newTally(config: RunConfig): Tally {
	const counted = { milliseconds: {}, changes: new Map(), done: new Map(), total: 0, warnings: new Map(), notes: new Set<string>() }
	return { config, started: new Date(), ...counted, unfinished: undefined, unrestored: [] }
}

function once<T>(act: (value: T) => void): (value: T) => void {
	let isDone = false
	return value => {
		if (!isDone) act(value)
		isDone = true
	}
}

/**
 * Rolls back an earlier run that died before its commit and left its undo on the host. This must happen before planning. A read-only run
 * reports the unfinished run and leaves its undo in place.
 */
async function rollBackUnfinishedRun(host: Host, tally: Tally, log: Log): Promise<void> {
	if (isDry(tally.config)) {
		tally.unfinished = host.unfinishedTag()
		return
	}
	const dead = host.unfinishedUndo()
	if (!dead) return
	const undo = async () => [...new Set(await host.undo(dead.undo))]
	tally.unrestored = await repeatUndo(undo, complaints => complaints.length === 0)
	await host.disarm(dead)
	log.step('cleared', `an earlier run (${dead.tag}) ended before its commit; it was rolled back`)
	if (tally.unrestored.length === 0) return
	const words = `not everything could be rolled back: ${tally.unrestored.join('; ')}`
	log.step('NOT rolled back', words)
	tally.notes.add(`an earlier run ended before its commit, and ${words}`)
}

async function retryWhileDevicesMissing(interfaces: readonly WantedInterface[], run: RunState): Promise<Outcome> {
	const end = performance.now() + run.config.waitForDeviceSeconds * 1000
	let known = FIRST_STATE
	for (;;) {
		const { outcome, retry } = await repeatAttempts(interfaces, run, known)
		known = retry
		const late = outcome.plan.refused.filter(({ refusal }) => refusal.reason === 'WaitingForDevice').map(({ nic }) => nic.macAddress)
		if (late.length === 0 || isDry(run.config) || isFailed(outcome) || !(await anyAppeared(late, end, run))) return outcome
	}
}

async function anyAppeared(macs: readonly string[], end: number, { host, context }: RunState): Promise<boolean> {
	while (performance.now() < end) {
		await sleep(Math.min(500, Math.max(0, end - performance.now())))
		const { links } = await host.observe([])
		if (macs.some(mac => !isRefusal(matchLink(mac, links, context.kinds)))) return true
	}
	return false
}
