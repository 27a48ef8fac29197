/** Returns a generation as the contract allows it: a number of changes; 0 if the API server reports none. */
export function generationOf(reported: unknown): number {
	return Number.isSafeInteger(reported) && Number(reported) > 0 ? Number(reported) : 0
}
