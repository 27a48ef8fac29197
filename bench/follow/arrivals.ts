/** When rows were stored, on the clock of `performance.now()`. */
export type Arrivals = {
	/** Resolves when the row of this version is stored, with the time at which that was so. */
	arrival(resourceVersion: string): Promise<number>
	close(): Promise<void>
}

/** Creates the record of arrivals: whoever waits for a version gets its time, also if it was noted before. */
export function createRecord() {
	const times = new Map<string, PromiseWithResolvers<number>>()
	const of = (resourceVersion: string) => {
		const known = times.get(resourceVersion) ?? Promise.withResolvers<number>()
		times.set(resourceVersion, known)
		return known
	}
	return {
		note: (resourceVersion: string) => of(resourceVersion).resolve(performance.now()),
		arrival: (resourceVersion: string) => of(resourceVersion).promise,
	}
}
