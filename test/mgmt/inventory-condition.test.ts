import { expect, test } from 'vitest'
import type { Condition } from '../../contract/conditions.ts'
import type { InventoryState } from '../../mgmt/inventory/inventory.ts'
import { inventoryLine, inventoryVerdict } from '../../mgmt/inventory-condition.ts'

const now = 1_000_000
const lost = (since: number, message = 'connection refused'): InventoryState => ({
	...{ state: 'unavailable', reason: 'Unreachable', since, message },
})
const opening: InventoryState = { state: 'unavailable', reason: 'Opening', since: now, message: 'it is being opened' }
const available: InventoryState = { state: 'available', since: 0 }
const was = (status: Condition['status'], reason: string, message = 'as before'): Condition => ({
	...{ type: 'InventoryAvailable', status, reason, message, lastTransitionTime: '2026-01-01T00:00:00Z' },
})

test.each<[sentence: string, state: InventoryState, previous: Condition | undefined, expected: object]>([
	['an available database', available, undefined, { status: 'True', reason: 'Available' }],
	[
		'a database that was rebuilt: the damaged file is named',
		{ state: 'available', since: 0, replaced: { file: '/var/inventory.db.damaged', why: 'malformed', at: 0 } },
		was('True', 'Available'),
		{ status: 'True', reason: 'Rebuilt', message: expect.stringMatching(/1970.*malformed.*\/var\/inventory\.db\.damaged/) },
	],
	[
		'a database that is lost for a while: the reason and what follows from it are named',
		lost(now - 60_000),
		was('True', 'Available'),
		{ status: 'False', reason: 'Unreachable', message: 'connection refused; ports are configured without the inventory' },
	],
	['a database that was lost just now is not reported yet', lost(now - 1_000), was('True', 'Available'), was('True', 'Available')],
	['a database that is lost, if nothing was reported before', lost(now), undefined, { status: 'False', reason: 'Unreachable' }],
	['a database that is being opened, if nothing was reported before', opening, undefined, { status: 'Unknown', reason: 'Opening' }],
	['a database that is being opened again is not reported', opening, was('False', 'Locked'), was('False', 'Locked')],
	[
		'another message for the same reason changes nothing',
		lost(0, 'connection reset'),
		was('False', 'Unreachable'),
		was('False', 'Unreachable'),
	],
	['another reason is reported', lost(0), was('False', 'Locked'), { reason: 'Unreachable' }],
	['a database that is available again is reported at once', available, was('False', 'Locked'), { status: 'True', reason: 'Available' }],
	['a disabled inventory', { state: 'disabled' }, undefined, { status: 'False', reason: 'Disabled' }],
])('%s', (_, state, previous, expected) => {
	expect(inventoryVerdict(state, previous, now)).toMatchObject(expected)
})

test('/healthz shows the state in one line', () => {
	expect(inventoryLine(lost(0, 'a\nb'))).toBe('inventory: Unreachable: a b; ports are configured without the inventory')
})
