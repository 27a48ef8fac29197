import type { AgentReport, RunConfig } from '../contract/agent-run.ts'
import { settle, type WantedInterface } from '../contract/interface.ts'
import type { Failure } from '../runtime/errors.ts'
import { type Attempt, attempt, type Outcome } from './attempt.ts'
import { blamed, type Code, isFailure, reasonOf } from './failure.ts'
import type { Host } from './host/host.ts'
import { type Log, tellError } from './log.ts'
import { type LinkKinds, match, isRefusal, type Refusal } from './match.ts'
import { backendOf } from './persist/backend.ts'
import { countChanges } from './plan.ts'
import { reportFailure, reportOutcome } from './report.ts'
import type { Tally } from './tally.ts'
import { tellHeading, tellInterfaces } from './tell.ts'
import { doneWords } from './words.ts'

export type Surrounding = {
	log: Log
	/** Kinds of link that may be a NIC. */
	kinds: LinkKinds
	apiServer: { host: string; port: number } | undefined
}

/**
 * One run: clears what a dead run left, then configures what can be; an interface that makes the batch fail is left out and the
 * others are tried again, and one whose link is not there yet is waited for while the others are done.
 *
 * @returns the report, whatever happened; only a bug is thrown
 */
export async function run(config: RunConfig, host: Host, surrounding: Surrounding): Promise<AgentReport> {
	const tally = newTally(config)
	const began = performance.now()
	/** The wall clock may be set meanwhile. */
	const now = () => new Date(tally.started.getTime() + Math.round(performance.now() - began))
	const interfaces = config.mode === 'Cleanup' ? [] : settle(config.interfaces)
	const heading = once((backend: string) => tellHeading(tally, backend, surrounding.log))
	try {
		await meetDeadRun(host, tally, surrounding.log)
		const outcome = await untilDevicesCame(interfaces, { config, host, surrounding, tally, heading })
		return reportOutcome(outcome, tally, now())
	} catch (error) {
		if (!isFailure<Code>(error)) throw error
		heading('unknown')
		tellError(surrounding.log, 'failed', error)
		return reportFailure(error, interfaces, tally, now())
	}
}

type Run = { config: RunConfig; host: Host; surrounding: Surrounding; tally: Tally; heading(backend: string): void }

function newTally(config: RunConfig): Tally {
	const counted = { milliseconds: {}, changes: new Map(), done: new Map(), total: 0, warnings: new Map(), notes: new Set<string>() }
	return { config, started: new Date(), ...counted, unfinished: undefined }
}

function once<T>(act: (value: T) => void): (value: T) => void {
	let isDone = false
	return value => {
		if (!isDone) act(value)
		isDone = true
	}
}

/**
 * A run that died has left its undo on the host: the host was never committed, so it is put back before anything is planned. A run
 * that only looks says so and leaves it.
 */
async function meetDeadRun(host: Host, tally: Tally, log: Log): Promise<void> {
	if (isDry(tally.config)) {
		tally.unfinished = host.unfinished()
		return
	}
	const dead = host.leftBehind()
	if (!dead) return
	const complaints = await host.undo(dead.undo)
	await host.disarm(dead)
	log.tell('cleared', `an earlier run (${dead.tag}) ended before its commit; it was undone`)
	// Most of them only say that there was nothing to undo; which ones is for a person to judge.
	for (const complaint of new Set(complaints)) log.tell('undoing said', `${complaint} (no harm where there was nothing to undo)`)
}

async function untilDevicesCame(interfaces: readonly WantedInterface[], run: Run): Promise<Outcome> {
	const end = performance.now() + run.config.waitForDeviceSeconds * 1000
	for (;;) {
		const outcome = await converge(interfaces, run)
		const late = outcome.plan.refused.filter(({ refusal }) => refusal.reason === 'WaitingForDevice').map(({ nic }) => nic.macAddress)
		if (late.length === 0 || isDry(run.config) || outcome.failed || !(await someCame(late, end, run))) return outcome
	}
}

async function someCame(macs: readonly string[], end: number, { host, surrounding }: Run): Promise<boolean> {
	while (performance.now() < end) {
		await new Promise(resolve => setTimeout(resolve, Math.min(500, Math.max(0, end - performance.now()))))
		const { links } = await host.observe([])
		if (macs.some(mac => !isRefusal(match(mac, links, surrounding.kinds)))) return true
	}
	return false
}

/** What earlier attempts of this run have taught. */
type Lessons = { failed: Map<number, Refusal>; renameDown: boolean; turn: number }

/** Tries again without each interface that makes the batch fail, so that one bad NIC never costs the others. */
async function converge(interfaces: readonly WantedInterface[], run: Run): Promise<Outcome> {
	const lessons: Lessons = { failed: new Map(), renameDown: false, turn: 0 }
	for (;;) {
		const outcome = await attempt(taskOf(interfaces, run, lessons))
		lessons.turn++
		if (!outcome.failed) count(outcome, run.tally)
		if (!outcome.failed || outcome.unrestored?.length || !learn(lessons, outcome.failed)) return outcome
	}
}

/** @returns whether another attempt may come out better; each failure teaches something new, so there is an end */
function learn(lessons: Lessons, failed: Failure<Code>): boolean {
	if (isBusy(failed.message) && !lessons.renameDown) {
		lessons.renameDown = true
		return true
	}
	const news = blamed(failed).filter(({ id }) => !lessons.failed.has(id))
	for (const { id, message } of news) lessons.failed.set(id, { reason: reasonOf(failed.code), message })
	return news.length > 0
}

function taskOf(interfaces: readonly WantedInterface[], run: Run, lessons: Lessons): Attempt {
	const { config, host, surrounding, tally } = run
	return {
		wanted: { interfaces, nodeAddresses: config.nodeAddresses, kinds: surrounding.kinds, failed: lessons.failed },
		host,
		log: surrounding.log,
		planned: (plan, state) => {
			const found = backendOf(state)
			run.heading('backend' in found ? found.backend : 'unknown')
			tellInterfaces(plan, state, { log: surrounding.log, mode: config.mode })
		},
		tag: `g${config.generation}-${config.attempt}-${tally.started.getTime().toString(36)}-${lessons.turn}`,
		deadManSeconds: config.deadManSeconds,
		apiServer: surrounding.apiServer,
		dry: isDry(config),
		asksGateways: config.mode !== 'Plan',
		renameDown: lessons.renameDown,
		timed: (phase, work) => timed(tally, phase, work),
	}
}

async function timed<T>({ milliseconds }: Tally, phase: string, work: () => Promise<T>): Promise<T> {
	const started = performance.now()
	try {
		return await work()
	} finally {
		milliseconds[phase] = Math.round((milliseconds[phase] ?? 0) + performance.now() - started)
	}
}

function count({ plan, warnings, notes }: Outcome, tally: Tally): void {
	if (warnings) tally.warnings = new Map(warnings)
	for (const note of notes ?? []) tally.notes.add(note)
	if (isDry(tally.config)) return
	for (const { nic } of plan.accepted) {
		tally.changes.set(nic.id, (tally.changes.get(nic.id) ?? 0) + countChanges(plan.steps, nic.id))
		tally.done.set(nic.id, [...(tally.done.get(nic.id) ?? []), ...doneWords(plan.steps, nic.id)])
	}
	tally.total += countChanges(plan.steps)
}

/** Before Linux 6.2 a link that is up keeps its name. */
function isBusy(message: string): boolean {
	return message.includes('Device or resource busy')
}

function isDry({ mode }: RunConfig): boolean {
	return mode === 'Plan' || mode === 'Verify'
}
