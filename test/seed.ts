import fc from 'fast-check'
import { inject } from 'vitest'

declare module 'vitest' {
	export interface ProvidedContext {
		seed: number
	}
}

/**
 * Prepares every test file: all properties of a run have the seed that `vitest.config.ts` chose and printed. `SEED=<number>` repeats a run,
 * and the failure of a property names the path to its counterexample.
 */
const limit = process.env.PROPERTY_MS
/**
 * `PROPERTY_MS` ends each property after that time, regardless of the number of cases so far; `npm run check` sets it. A property that counts
 * its cases sets `interruptAfterTimeLimit` itself.
 */
fc.configureGlobal({
	...fc.readConfigureGlobal(),
	seed: inject('seed'),
	...(limit !== undefined && { interruptAfterTimeLimit: Number(limit), markInterruptAsFailure: false }),
})
