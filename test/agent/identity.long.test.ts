import { inject } from 'vitest'

/** Like `identity.kernel.test.ts`, with many more links, which differ in each run. */
process.env.LINKS ??= '2000'
process.env.SEED ??= String(inject('seed'))

await import('./identity.kernel.test.ts')
