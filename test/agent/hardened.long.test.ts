import { HARDENED_CAPABILITIES } from '../../controller/act/host-access.ts'

/**
 * More kernel tests of the agent with only the capabilities of a hardened container, in addition to those in `hardened.kernel.test.ts`.
 */
process.env.CAPABILITIES = HARDENED_CAPABILITIES.join(',')

await import('./connectivity.kernel.test.ts')
await import('./fault.kernel.test.ts')
await import('./permutation.kernel.test.ts')
await import('./probes.kernel.test.ts')
await import('./survive.kernel.test.ts')
