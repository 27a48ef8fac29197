/** One of several checks that are evaluated in order. It returns a result, or undefined if it does not apply to the input. */
export type Check<Input, Result> = (input: Input) => Result | undefined

/** Evaluates the checks in order. @returns the result of the first check that applies */
export function firstOf<Input, Result>(checks: readonly Check<Input, Result>[], input: Input): Result | undefined {
	for (const check of checks) {
		const result = check(input)
		if (result !== undefined) return result
	}
	return undefined
}
