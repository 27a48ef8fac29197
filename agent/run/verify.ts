import { setTimeout as sleep } from 'node:timers/promises'
import type { Failure } from '../../runtime/errors.ts'
import { stepWords } from '../ip/change-words.ts'
import type { Step } from '../model/change.ts'
import type { Refusal } from '../model/check.ts'
import { blaming, type Code, failure } from '../model/failure.ts'
import type { HostState } from '../model/host-state.ts'
import { lossesOf } from '../plan/fingerprint.ts'
import type { LookupLoss } from '../plan/lookup-losses.ts'
import type { Plan } from '../plan/plan.ts'
import { givenByNetworkd, undoneByNetworkd } from '../plan/reverted-by-networkd.ts'
import { lostPaths, type Target } from '../probe/node-paths.ts'
import { lossOfWays } from '../probe/packet-routes.ts'
import type { Probes } from '../report/outcome.ts'
import type { Attempt } from './attempt-input.ts'
import { look, makePlan } from './observe-and-plan.ts'

/** Checks what must hold after a change, before it is committed. */

/** Ignores what this run could not touch from its beginning: a link that appeared meanwhile is for the next attempt. */
export function withoutNewcomers(task: Attempt, { refused, kept: staying }: Plan): Attempt {
	const failed = new Map([...task.wanted.failed, ...refused.map(({ nic, refusal }) => [nic.id, refusal] as const)])
	const kept = new Map(staying.map(({ ours, refusal }) => [ours.mac, refusal] as const))
	return { ...task, wanted: { ...task.wanted, failed, kept } }
}

/**
 * How often changes that networkd has undone are applied again, its addresses first, then the rest. networkd does not undo them endlessly.
 */
const TIMES = 6

/**
 * The state is correct if nothing is left to plan; there is no second definition. A daemon may need a moment, so there are three checks.
 */
export async function verify(task: Attempt, wish: Plan, before: HostState): Promise<HostState> {
	let again = 0
	for (let chance = 1; ; ) {
		const { state, wrong, rest } = await compared(task, wish, before)
		if (!wrong && rest.length === 0) return state
		if (rest.length > 0 && again++ < TIMES) await doAgain(task, rest)
		else if (wrong && chance++ === 3) throw wrong
		else if (!wrong) return state
		await sleep(200)
	}
}

/** `rest`: what networkd has added or undone meanwhile. */
async function compared(task: Attempt, wish: Plan, before: HostState) {
	const state = await task.timed('verify', () => look(task))
	const plan = await makePlan(task, state)
	const given = givenByNetworkd(wish, before, state)
	return { state, wrong: unlikeWish(plan, wish), rest: given.length > 0 ? given : undoneByNetworkd(wish, plan.steps, state) }
}

async function doAgain({ host, log, timed }: Attempt, rest: readonly Step[]): Promise<void> {
	log.tell('again', `${rest.map(stepWords).join(', ')}: systemd-networkd configured the NIC by a file that it read earlier`)
	await timed('apply', () => host.apply(rest))
}

/** An interface that was configured and is refused now is not correct either: other programs have added or removed something meanwhile. */
function unlikeWish({ steps, refused }: Plan, { accepted }: Plan): Failure<Code> | undefined {
	const wanted = new Set(accepted.map(({ nic }) => nic.id))
	const [first] = refused.filter(({ nic }) => wanted.has(nic.id))
	const code = first?.refusal.reason === 'RoutedElsewhere' ? 'ROUTED_ELSEWHERE' : 'NOT_VERIFIED'
	if (first) return failure(code, `after the change: ${first.refusal.message}`, { id: first.nic.id })
	if (steps.length === 0) return undefined
	return failure('NOT_VERIFIED', `still differs after applying: ${steps.map(stepWords).join(', ')}`, { id: steps[0]?.id })
}

/** @throws Failure FOREIGN_CHANGED if something not managed by MultiNIC is gone or has changed */
export function refuseLosses({ excused }: Attempt, { plan, before, state }: { plan: Plan; before: HostState; state: HostState }): void {
	const losses = lossesOf(plan, before, state).filter(({ key }) => !excused.has(key))
	const words = losses.map(loss => loss.words).join('; ')
	if (losses.length > 0)
		throw failure('FOREIGN_CHANGED', `changed but not managed by MultiNIC: ${words}`, { lost: losses.map(({ key }) => key) })
}

/** @throws Failure CONNECTIVITY_LOST if a path no longer answers */
export function refuseLostPaths(targets: readonly Target[], { before, after }: Probes): void {
	const lost = lostPaths(before, after)
	const hops = targets.flatMap(({ name, hops }) => (lost.includes(name) ? hops : []))
	if (lost.length > 0) throw failure('CONNECTIVITY_LOST', `${lost.join(' and ')} unreachable after the change`, { hops })
}

/** @throws Failure CONNECTIVITY_LOST if packets of the node take another path */
export function refuseLostWays({ excused }: Attempt, plan: Plan, losses: readonly LookupLoss[]): void {
	const loss = lossOfWays(
		losses.filter(({ key }) => !excused.has(key)),
		plan,
	)
	if (loss) throw loss
}

/** @throws Failure ROUTED_ELSEWHERE that blames every interface whose packets leave by another link */
export function refuseElsewhere(found: ReadonlyMap<number, Refusal>): void {
	if (found.size === 0) return
	throw blaming(
		'ROUTED_ELSEWHERE',
		[...found].map(([id, { message }]) => ({ id, message })),
	)
}
