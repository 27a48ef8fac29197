/** A condition of a Job, as far as it says whether the Job has ended. */
type JobCondition = { type?: string | undefined; status?: string | undefined }

/** @returns the condition of a Job that has ended, Complete or Failed; undefined while it has not */
export function endOf<C extends JobCondition>({
	status,
}: {
	status?: { conditions?: readonly C[] | undefined } | undefined
}): C | undefined {
	return status?.conditions?.find(({ type, status }) => status === 'True' && (type === 'Complete' || type === 'Failed'))
}
