import { expect, test } from 'vitest'
import { createWithdrawals } from '../../../mgmt/follow/withdrawals.ts'

const actor = { kind: 'OpenstackConfig', name: 'ns/a' } as const

test('a node config that mgmt has deleted is attributed once, and the last one of a biz cluster is reported', () => {
	const last: string[] = []
	const withdrawals = createWithdrawals(providerId => last.push(providerId))
	withdrawals.add('biz', ['worker-1', 'worker-2'], actor)
	withdrawals.add('other', [], actor)
	expect([withdrawals.has('biz'), withdrawals.has('other')]).toEqual([true, false])
	expect(withdrawals.take('biz', 'worker-3')).toBeUndefined()
	expect(withdrawals.take('other', 'worker-1')).toBeUndefined()
	expect(withdrawals.take('biz', 'worker-1')).toEqual(actor)
	expect([withdrawals.take('biz', 'worker-1'), last]).toEqual([undefined, []])
	expect([withdrawals.take('biz', 'worker-2'), last]).toEqual([actor, ['biz']])
	expect(withdrawals.has('biz')).toBe(false)
})
