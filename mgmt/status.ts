import { clean } from '../contract/clean.ts'
import { type Condition, cut, MESSAGE_MAX } from '../contract/conditions.ts'
import type { OpenstackConfigStatus, SyncedNode } from '../contract/openstack-config.ts'
import { condition, isCurrent, stateOf } from '../contract/status.ts'
import type { NodeConfigView } from '../contract/viola-api.ts'
import type { InventoryState } from './inventory/inventory.ts'
import { inventoryVerdict } from './inventory-condition.ts'
import { advice, type MgmtReason } from './model/failures.ts'
import type { Plan } from './plan.ts'

/** `next`: what happens next and what the user can do; defaults to the advice for the reason. */
type Problem = { reason: MgmtReason; message: string; next?: string }

/** The result of a reconcile: either it failed before there was a plan, or it applied its plan as far as possible. */
export type Outcome =
	| { failure: Problem; retryAfterMs?: number }
	| {
			plan: Plan
			inForce: ReadonlyMap<string, NodeConfigView>
			sent: ReadonlySet<string>
			errors: ReadonlyMap<string, string>
			/** Reported if there is no other problem. */
			warnings: readonly string[]
			/** How long viola asked to wait. */
			retryAfterMs?: number
	  }

export type Now = { at: string; generation: number; inventory: InventoryState }
type Verdict = { ready: boolean; reason: string; message: string; lastError?: string }

/** Returns the whole status that follows from an outcome. The same outcome results in the same status, so that it is written only once. */
export function statusAfter(outcome: Outcome, previous: OpenstackConfigStatus | undefined, now: Now): OpenstackConfigStatus {
	const verdict = 'failure' in outcome ? failed(outcome.failure) : judge(outcome)
	const nodes = 'failure' in outcome ? previous?.nodes : nodesOf(outcome, previous, now)
	const syncedAt = 'sent' in outcome && outcome.sent.size > 0 ? now.at : previous?.lastSyncedAt
	return {
		observedGeneration: now.generation,
		conditions: conditionsOf(verdict, previous?.conditions ?? [], now),
		...(syncedAt && { lastSyncedAt: syncedAt }),
		...(verdict.lastError && { lastError: verdict.lastError }),
		...(nodes && { nodes }),
	}
}

function judge({ plan, sent, errors, warnings }: Exclude<Outcome, { failure: unknown }>): Verdict {
	const refused = [...errors].map(([nodeName, message]) => ({ reason: 'ViolaPostError' as const, message: `${nodeName}: ${message}` }))
	const [first, ...others] = [...plan.faults, ...refused]
	if (first) {
		const message = [first, ...others].map(({ message }) => message).join('; ')
		return failed({ reason: first.reason, message, next: `The other nodes continue; ${advice[first.reason]}` })
	}
	const nics = plan.wanted.reduce((sum, { interfaces }) => sum + interfaces.length, 0)
	const what = `${count(plan.wanted.length, 'node')}, ${count(nics, 'interface')}`
	const [reason, done] = sent.size === 0 ? ['NoChange', 'in sync with OpenStack'] : ['Synced', `sent ${[...sent].join(', ')}`]
	const message = [...warnings, `${what}: ${done}`].join('; ')
	return { ready: true, reason, message }
}

function failed({ reason, message, next = advice[reason] }: Problem): Verdict {
	return {
		ready: false,
		reason,
		message: `${line(message.replace(/\.$/, ''), MESSAGE_MAX - 2 - next.length)}. ${next}`,
		lastError: line(`${reason}: ${message}`, 512),
	}
}

function conditionsOf({ ready, reason, message }: Verdict, previous: readonly Condition[], now: Now): Condition[] {
	const before = (type: string) => previous.find(it => it.type === type)
	const condition = (type: string, status: Condition['status'], why: string, words: string): Condition => {
		const was = before(type)
		const since = was?.status === status ? was.lastTransitionTime : now.at
		return { type, status, reason: why, message: line(words), lastTransitionTime: since, observedGeneration: now.generation }
	}
	const inventory = inventoryVerdict(now.inventory, before('InventoryAvailable'), Date.parse(now.at))
	return [
		condition('Ready', ready ? 'True' : 'False', reason, message),
		condition('Degraded', ready ? 'False' : 'True', ready ? 'Healthy' : 'Error', message),
		condition('InventoryAvailable', inventory.status, inventory.reason, inventory.message),
	]
}

function nodesOf(outcome: Exclude<Outcome, { failure: unknown }>, previous: OpenstackConfigStatus | undefined, now: Now): SyncedNode[] {
	const { plan, inForce, sent, errors } = outcome
	const before = new Map(previous?.nodes?.map(node => [node.nodeName, node]))
	const stays = [...plan.kept, ...plan.withdraw.filter(nodeName => errors.has(nodeName))]
	const rows = [
		...plan.wanted.map(({ nodeName, interfaces }) => ({ nodeName, interfaces: interfaces.length })),
		...stays.map(nodeName => ({ nodeName, interfaces: inForce.get(nodeName)?.interfaces.length ?? 0 })),
	]
	return rows.map(row => {
		const when = sent.has(row.nodeName) ? now.at : before.get(row.nodeName)?.sent
		return { ...row, ...(when && { sent: when }), ...reportedOf(row.nodeName, outcome) }
	})
}

/**
 * Returns what is known about the state of a node: an error, that it was just sent, or what the biz cluster reports for the current
 * generation.
 */
function reportedOf(nodeName: string, { inForce, sent, errors, plan }: Exclude<Outcome, { failure: unknown }>): Partial<SyncedNode> {
	const error = errors.get(nodeName)
	if (error !== undefined) return { state: 'Refused', message: line(error) }
	if (sent.has(nodeName)) return { state: 'Pending' }
	const view = inForce.get(nodeName)
	if (!view) return {}
	if (plan.kept.includes(nodeName)) {
		const message = `no longer selected, but its VM may still exist; if it does not, run: kubectl delete mnnc ${nodeName}`
		return { state: 'Kept', message: line(message) }
	}
	const status = isCurrent(view) ? view.status : undefined
	const ready = condition(status, 'Ready')
	return { state: stateOf({ status }), ...(ready?.status === 'False' && { message: line(ready.message) }) }
}

/**
 * Cleans and truncates a string that a remote system or the author of a config wrote. It may have any length, so only the beginning is
 * cleaned.
 */
function line(text: string, max = MESSAGE_MAX): string {
	return cut(clean(text.length > LOOKED_AT ? `${text.slice(0, LOOKED_AT)}…` : text), max)
}

/** Maximum number of characters that are cleaned; more than any field of a status has. */
const LOOKED_AT = 8_192

function count(n: number, noun: string): string {
	return `${n} ${noun}${n === 1 ? '' : 's'}`
}
