import { HARDENED_CAPABILITIES } from '../../controller/act/host-access.ts'

/**
 * The rest of the agent's kernel suite with only the capabilities of a hardened container; `hardened.kernel.test.ts` has the first part.
 */
process.env.CAPABILITIES = HARDENED_CAPABILITIES.join(',')

await import('./connectivity.kernel.test.ts')
await import('./fault.kernel.test.ts')
await import('./permutation.kernel.test.ts')
await import('./probes.kernel.test.ts')
await import('./survive.kernel.test.ts')
