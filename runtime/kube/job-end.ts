/** The fields of a Job condition that show whether the Job has ended. */
type JobCondition = { type?: string | undefined; status?: string | undefined }

/** @returns the condition Complete or Failed of a Job that has ended; undefined if the Job has not ended */
export function endOf<C extends JobCondition>({
	status,
}: {
	status?: { conditions?: readonly C[] | undefined } | undefined
}): C | undefined {
	return status?.conditions?.find(({ type, status }) => status === 'True' && (type === 'Complete' || type === 'Failed'))
}
