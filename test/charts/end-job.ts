import type { KubeClient } from '../../runtime/kube/client.ts'
import { Job } from '../../runtime/kube/kinds.ts'

/** Ends a Job as the Job controller does. */
export async function endJob(
	admin: KubeClient,
	{ name, namespace = '' }: { name: string; namespace?: string },
	how: 'Failed' | 'Complete' = 'Failed',
): Promise<void> {
	const now = new Date().toISOString()
	const first = how === 'Failed' ? 'FailureTarget' : 'SuccessCriteriaMet'
	const conditions = [first, how].map(type => ({ type, status: 'True', lastTransitionTime: now, reason: 'Ended' }))
	const times = { startTime: now, ...(how === 'Complete' && { completionTime: now, succeeded: 1 }) }
	await admin.patchStatus(Job, { name, namespace }, { ...times, conditions })
}
