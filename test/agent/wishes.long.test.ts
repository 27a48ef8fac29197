import { inject } from 'vitest'

/**
 * Like `wishes.kernel.test.ts`, with many more configs, which differ in each run. They are enough to find a fault of one config in a
 * hundred.
 */
process.env.WISHES ??= '150'
process.env.SEED ??= String(inject('seed'))

await import('./wishes.kernel.test.ts')
