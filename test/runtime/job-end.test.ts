import { expect, test } from 'vitest'
import { endOf } from '../../runtime/kube/job-end.ts'

test.each<[title: string, conditions: { type: string; status: string }[], end: string | undefined]>([
	['without conditions', [], undefined],
	['that is suspended', [{ type: 'Suspended', status: 'True' }], undefined],
	['whose pods are still being terminated', [{ type: 'FailureTarget', status: 'True' }], undefined],
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
])('the final condition of a Job %s', (_, conditions, end) => {
	expect(endOf({ status: { conditions } })?.type).toBe(end)
})

test('a Job without a status has not ended', () => {
	expect(endOf({})).toBeUndefined()
})
