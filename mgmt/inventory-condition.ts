import { clean } from '../contract/clean.ts'
import { type Condition, cut } from '../contract/conditions.ts'
import type { InventoryState } from './inventory/inventory.ts'

type Verdict = Pick<Condition, 'status' | 'reason' | 'message'>

/** How long the database must be lost before a condition reports it, in milliseconds: a restart of it is no news. */
const GRACE_MS = 10_000

/** Returns what the condition InventoryAvailable reports. Only a changed reason changes the message, because each status write has a cost. */
export function inventoryVerdict(state: InventoryState, previous: Condition | undefined, nowMs: number): Verdict {
	const verdict = verdictOf(state)
	if (previous && isPassing(state, nowMs)) return previous
	return previous?.status === verdict.status && previous.reason === verdict.reason ? previous : verdict
}

/** Returns the state in one line, for /healthz. */
export function inventoryLine(state: InventoryState): string {
	const { reason, message } = verdictOf(state)
	return `inventory: ${reason}: ${message}`
}

function isPassing(state: InventoryState, nowMs: number): boolean {
	return state.state === 'unavailable' && (state.reason === 'Opening' || nowMs - state.since < GRACE_MS)
}

function verdictOf(state: InventoryState): Verdict {
	switch (state.state) {
		case 'disabled':
			return { status: 'False', reason: 'Disabled', message: 'INVENTORY_ENABLED is false: nothing is stored' }
		case 'unavailable':
			return {
				status: state.reason === 'Opening' ? 'Unknown' : 'False',
				reason: state.reason,
				message: cut(clean(`${state.message}; ports are configured without the inventory`)),
			}
		case 'available':
			return state.replaced ? rebuilt(state.replaced) : { status: 'True', reason: 'Available', message: 'the database can be used' }
	}
}

function rebuilt({ file, why, at }: { file: string; why: string; at: number }): Verdict {
	const message = `the database was rebuilt at ${new Date(at).toISOString()} because it was damaged (${why}); the damaged file is ${file}`
	return { status: 'True', reason: 'Rebuilt', message: cut(clean(message)) }
}
