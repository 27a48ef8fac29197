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
import { addedByNetworkd, revertedByNetworkd } from '../plan/reverted-by-networkd.ts'
import { lostPaths, type NodePath } from '../probe/node-paths.ts'
import { failureForLosses } from '../probe/packet-routes.ts'
import type { Probes } from '../report/outcome.ts'
import type { AttemptInput } from './attempt-input.ts'
import { makePlan, observeHost } from './observe-and-plan.ts'

/** Checks that must pass after the changes are applied and before they are committed. */

/** Excludes what the plan excluded, so that a link that has appeared in the meantime is left to the next attempt. */
export function ignoringNewLinks(task: AttemptInput, { refused, kept: staying }: Plan): AttemptInput {
	const failed = new Map([...task.wanted.failed, ...refused.map(({ nic, refusal }) => [nic.id, refusal] as const)])
	const kept = new Map(staying.map(({ ours, refusal }) => [ours.mac, refusal] as const))
	return { ...task, wanted: { ...task.wanted, failed, kept } }
}

/**
 * Maximum number of times that effects of networkd are corrected: first what it added, then what it reverted. networkd eventually stops.
 */
const MAX_REPEATS = 6

/**
 * The state is correct if a new plan has no steps; there is no separate definition of correctness. A daemon may need a moment, so a wrong
 * state is checked three times.
 */
export async function verify(task: AttemptInput, plan: Plan, before: HostState): Promise<HostState> {
	let again = 0
	for (let check = 1; ; ) {
		const { state, wrong, rest } = await compared(task, plan, before)
		if (rest.length > 0 && again++ < MAX_REPEATS) await applyAgain(task, rest)
		else if (!wrong) return state
		else if (check++ === 3) throw wrong
		await sleep(200)
	}
}

/** `rest`: the steps that correct what networkd has added or reverted in the meantime. */
async function compared(task: AttemptInput, wanted: Plan, before: HostState) {
	const state = await task.timed('verify', () => observeHost(task))
	const plan = await makePlan(task, state)
	const given = addedByNetworkd(wanted, before, state)
	return { state, wrong: unlikePlan(plan, wanted), rest: given.length > 0 ? given : revertedByNetworkd(wanted, plan.steps, state) }
}

async function applyAgain({ host, log, timed }: AttemptInput, rest: readonly Step[]): Promise<void> {
	log.step('again', `${rest.map(stepWords).join(', ')}: systemd-networkd configured the NIC from a file that it read earlier`)
	await timed('apply', () => host.apply(rest))
}

/**
 * An interface that was accepted but is now refused is also treated as wrong: another program has added or removed something in the
 * meantime.
 */
function unlikePlan({ steps, refused }: Plan, { accepted }: Plan): Failure<Code> | undefined {
	const wanted = new Set(accepted.map(({ nic }) => nic.id))
	const [first] = refused.filter(({ nic }) => wanted.has(nic.id))
	const code = first?.refusal.reason === 'RoutedElsewhere' ? 'ROUTED_ELSEWHERE' : 'NOT_VERIFIED'
	if (first) return failure(code, `after the change: ${first.refusal.message}`, { id: first.nic.id })
	if (steps.length === 0) return undefined
	return failure('NOT_VERIFIED', `still differs after applying: ${steps.map(stepWords).join(', ')}`, { id: steps[0]?.id })
}

/** @throws Failure FOREIGN_CHANGED if state that MultiNIC does not manage has disappeared or changed */
export function assertNothingLost(
	{ excused }: AttemptInput,
	{ plan, before, state }: { plan: Plan; before: HostState; state: HostState },
): void {
	const losses = lossesOf(plan, before, state).filter(({ key }) => !excused.has(key))
	const words = losses.map(loss => loss.words).join('; ')
	if (losses.length > 0)
		throw failure('FOREIGN_CHANGED', `changed but not managed by MultiNIC: ${words}`, { lost: losses.map(({ key }) => key) })
}

/** @throws Failure CONNECTIVITY_LOST if a path no longer answers */
export function assertPathsAnswer(targets: readonly NodePath[], { before, after }: Probes): void {
	const lost = lostPaths(before, after)
	const hops = targets.flatMap(({ name, hops }) => (lost.includes(name) ? hops : []))
	if (lost.length > 0) throw failure('CONNECTIVITY_LOST', `${lost.join(' and ')} unreachable after the change`, { hops })
}

/** @throws Failure CONNECTIVITY_LOST if packets of the node now take another path */
export function assertRoutesKept({ excused }: AttemptInput, plan: Plan, losses: readonly LookupLoss[]): void {
	const loss = failureForLosses(
		losses.filter(({ key }) => !excused.has(key)),
		plan,
	)
	if (loss) throw loss
}

/** @throws Failure ROUTED_ELSEWHERE that blames every interface whose packets leave through another link */
export function assertNotRoutedElsewhere(found: ReadonlyMap<number, Refusal>): void {
	if (found.size === 0) return
	throw blaming(
		'ROUTED_ELSEWHERE',
		[...found].map(([id, { message }]) => ({ id, message })),
	)
}
