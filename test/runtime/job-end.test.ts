import { expect, test } from 'vitest'
import { endOf } from '../../runtime/kube/job-end.ts'

test.each<[title: string, conditions: { type: string; status: string }[], end: string | undefined]>([
	['that has no condition', [], undefined],
	['that is suspended', [{ type: 'Suspended', status: 'True' }], undefined],
	['whose pods are still being ended', [{ type: 'FailureTarget', status: 'True' }], undefined],
	['that is no longer complete', [{ type: 'Complete', status: 'False' }], undefined],
	[
		'that has succeeded',
		[
			{ type: 'SuccessCriteriaMet', status: 'True' },
			{ type: 'Complete', status: 'True' },
		],
		'Complete',
	],
	['that has failed', [{ type: 'Failed', status: 'True' }], 'Failed'],
])('a Job %s: whether it has ended', (_, conditions, end) => {
	expect(endOf({ status: { conditions } })?.type).toBe(end)
})

test('a Job without a status has not ended', () => {
	expect(endOf({})).toBeUndefined()
})
