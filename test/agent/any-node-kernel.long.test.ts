import { inject } from 'vitest'

/** Like `any-node.kernel.test.ts`, with many more nodes, which differ in each run. */
process.env.KERNEL_NODES ??= '2000'
process.env.SEED ??= String(inject('seed'))

await import('./any-node.kernel.test.ts')
