import type { Probe } from '../contract/agent-run.ts'
import type { Failure } from '../runtime/errors.ts'
import { type Code, failure, isFailure } from './failure.ts'
import { differences, fingerprint, lostFrom, touchable } from './fingerprint.ts'
import type { Armed } from './host/deadman.ts'
import type { Host } from './host/host.ts'
import type { HostState } from './host/state.ts'
import type { Log } from './log.ts'
import { backendOf } from './persist/backend.ts'
import type { Proof } from './host/prove.ts'
import { countChanges, type Plan, plan } from './plan.ts'
import { refuseDuplicates } from './own-address.ts'
import { askOwnGateways, type Warning } from './own-gateway.ts'
import { answering, lostPaths, probe, targetsOf, tellProbes, type Target } from './probe.ts'
import { recordOf, select, type Wanted } from './select.ts'
import { rebootWords, unprovable, unproven } from './proof.ts'
import { stepWords } from './words.ts'

export type Attempt = {
	wanted: Wanted
	host: Host
	log: Log
	tag: string
	deadManSeconds: number
	apiServer: { host: string; port: number } | undefined
	/** Told of a plan before anything is done about it. */
	planned(plan: Plan): void
	/** Only look: modes Plan and Verify. */
	dry: boolean
	/** The kernel has refused to rename a link that is up. */
	renameDown: boolean
	/** Runs a phase and keeps its time. */
	timed<T>(phase: string, work: () => Promise<T>): Promise<T>
}

export type Probes = { before: Probe[]; after: Probe[] }
export type Outcome = {
	plan: Plan
	state: HostState
	proof: Proof
	probes: Probes
	/** id → what its own probes found; absent: they were not asked. */
	warnings?: ReadonlyMap<number, Warning>
	/** Absent: what was planned is done. */
	failed?: Failure<Code>
	/** After a failure: what the undo could not bring back. The recipe then stays, for the host or the next run to try again. */
	unrestored?: string[]
}

/** How long a path may take to answer before the change, and one that worked then to answer again after it (milliseconds). */
const PATIENCE = { before: 3_000, after: 5_000 }
/** A commit this close to the dead man's hour could meet him at work (milliseconds). */
const MARGIN = 3_000

/** Observe → plan → arm → apply → verify → probe → commit; on failure the undo of all of it. */
export async function attempt(task: Attempt): Promise<Outcome> {
	const before = await look(task)
	const wish = await makePlan(task, before)
	task.planned(wish)
	if (task.dry || wish.steps.length === 0) return done(task, { plan: wish, state: before, probes: { before: [], after: [] } })
	const targets = targetsOf(task.host, before, task.apiServer)
	const probes: Probes = { before: await task.timed('probe', () => probe(targets, PATIENCE.before)), after: [] }
	tellProbes(task.log, 'probes before', probes.before)
	const armed = await task.timed('arm', () =>
		task.host.arm({ undo: wish.undo, tag: task.tag, deadManSeconds: task.deadManSeconds, systemd: before.systemd }),
	)
	tellArmed(task.log, armed)
	try {
		return await carryOut(task, { plan: wish, before, probes, targets, armed })
	} catch (error) {
		if (!isFailure<Code>(error)) throw error
		return putBack(task, { plan: wish, before, probes, targets, armed, failed: error })
	}
}

/** @throws Failure UNKNOWN_BACKEND, BAD_RECORD: nothing can be judged on such a host */
async function look({ host, wanted, timed, renameDown }: Attempt): Promise<HostState> {
	const seen = await timed('observe', () => host.observe(wanted.interfaces.map(({ macAddress }) => macAddress)))
	const backend = backendOf(seen)
	if ('unknown' in backend) throw failure('UNKNOWN_BACKEND', backend.unknown)
	try {
		recordOf(seen)
	} catch (error) {
		throw failure('BAD_RECORD', 'the record of what this host was (/var/lib/multinic/record.json) cannot be read', { cause: error })
	}
	return renameDown ? { ...seen, liveRename: false } : seen
}

async function makePlan({ wanted, host, timed }: Attempt, state: HostState): Promise<Plan> {
	const generated = await timed('generate', () => host.generate(select(wanted, state).accepted, state))
	return plan(wanted, state, generated)
}

type Work = { plan: Plan; before: HostState; probes: Probes; targets: readonly Target[]; armed: Armed }

async function carryOut(task: Attempt, { plan: wish, before, probes, targets, armed }: Work): Promise<Outcome> {
	const { host, timed, log } = task
	const started = performance.now()
	await timed('apply', () => host.apply(wish.steps, work => timed('probe', work)))
	log.tell('applied', `${countChanges(wish.steps)} changes in ${Math.round(performance.now() - started)} ms`)
	const state = await verify(withoutNewcomers(task, wish))
	refuseLosses(wish, before, state)
	await timed('probe', () => refuseDuplicates(host, wish.steps))
	const [after, own] = await timed('probe', () =>
		Promise.all([probe(answering(targets, probes.before), PATIENCE.after), askOwnGateways(host, wish.accepted)]),
	)
	probes.after = after
	tellProbes(log, 'probes after', after, own.words)
	const lost = lostPaths(probes.before, probes.after)
	if (lost.length > 0) throw failure('CONNECTIVITY_LOST', `${lost.join(' and ')} answered before the change and not after it`)
	const outcome = await done(task, { plan: wish, state, probes, warnings: own.warnings })
	if (!host.isArmed() || (armed.ends !== undefined && performance.now() > armed.ends - MARGIN))
		throw failure('EXPIRED', `the run took longer than ${task.deadManSeconds} s, so the host puts everything back`)
	await timed('commit', () => host.disarm(armed))
	return outcome
}

/** What this run could not touch from its beginning is not judged at its end: a link that came meanwhile is the next attempt's. */
function withoutNewcomers(task: Attempt, { refused }: Plan): Attempt {
	const failed = new Map([...task.wanted.failed, ...refused.map(({ nic, refusal }) => [nic.id, refusal] as const)])
	return { ...task, wanted: { ...task.wanted, failed } }
}

/** Right is what leaves nothing to plan; there is no second idea of it. A daemon may need a moment, so it is asked three times. */
async function verify(task: Attempt): Promise<HostState> {
	for (let chance = 1; ; chance++) {
		const state = await task.timed('verify', () => look(task))
		const left = (await makePlan(task, state)).steps
		const [first] = left
		if (!first) return state
		if (chance === 3)
			throw failure('NOT_VERIFIED', `after the change this is still to do: ${left.map(stepWords).join(', ')}`, { id: first.id })
		await new Promise(resolve => setTimeout(resolve, 200))
	}
}

function refuseLosses(wish: Plan, before: HostState, after: HostState): void {
	const touched = touchedBy(wish)
	const lost = lostFrom(fingerprint(before, touched), fingerprint(after, touched))
	if (lost.length > 0) throw failure('FOREIGN_CHANGED', `not ours, and no longer as it was: ${lost.join('; ')}`)
}

function touchedBy({ accepted, moves, released }: Plan): Set<number> {
	return new Set([
		...accepted.map(({ link }) => link.ifindex),
		...moves.map(({ link }) => link),
		...released.flatMap(({ link }) => link?.ifindex ?? []),
	])
}

async function done({ host, timed, log, dry }: Attempt, outcome: Omit<Outcome, 'proof'>): Promise<Outcome> {
	const why = unprovable(outcome.plan, dry)
	const proof = why === undefined ? await timed('prove', () => host.prove(outcome.plan.accepted, outcome.state)) : unproven(why)
	if (!dry) log.tell('verified', `nothing left to do; same after reboot: ${rebootWords(proof)}`)
	return { ...outcome, proof }
}

/** Undoes all of it, and looks and probes again: a path that stays silent is not put back either. */
async function putBack(task: Attempt, work: Work & { failed: Failure<Code> }): Promise<Outcome> {
	const { plan: wish, before, probes, targets, armed, failed } = work
	const { host, timed, log } = task
	log.tell('failed', failed.message)
	const complaints = await timed('undo', () => host.undo(wish.undo))
	const state = await timed('observe', () => host.observe(task.wanted.interfaces.map(({ macAddress }) => macAddress)))
	const now = await timed('probe', () => probe(answering(targets, probes.before), PATIENCE.after))
	tellProbes(log, 'probes undone', now)
	const unrestored = [
		...differences(touchable(before, touchedBy(wish)), touchable(state, touchedBy(wish))),
		...lostPaths(probes.before, now).map(name => `${name} does not answer`),
	]
	if (unrestored.length === 0) log.tell('put back', 'everything is as it was before the run')
	else log.tell('NOT put back', `${unrestored.join('; ')} (${complaints.join('; ')})`)
	if (unrestored.length === 0) await host.disarm(armed)
	return {
		plan: wish,
		state,
		probes,
		failed,
		unrestored,
		proof: unproven('the run was undone'),
	}
}

function tellArmed(log: Log, { ends }: Armed): void {
	log.tell('armed', ends === undefined ? unwatched : `everything is put back at ${hour(ends)} unless this run commits`)
}

const unwatched = 'the undo is on the host; no systemd here, so only another run would use it'

/** By the wall clock as it is set now. */
function hour(monotonic: number): string {
	return new Date(Date.now() + monotonic - performance.now()).toISOString().slice(11, 19)
}
