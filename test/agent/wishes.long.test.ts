import { inject } from 'vitest'

/**
 * Enough configs to find what one in a hundred shows, different ones in each run: `wishes.kernel.test.ts` has a few that are always the
 * same.
 */
process.env.WISHES ??= '150'
process.env.SEED ??= String(inject('seed'))

await import('./wishes.kernel.test.ts')
