import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { HARDENED_CAPABILITIES } from '../../controller/host-access.ts'
import { confinement } from './node-host.ts'

/** The same cases once more, with no more than a hardened container may do. */
process.env.CAPABILITIES = HARDENED_CAPABILITIES.join(',')
process.env.PERMUTATIONS = '20'

/** @see linux/capability.h */
const BITS: Record<string, number> = { CHOWN: 0, NET_ADMIN: 12, NET_RAW: 13, SYS_CHROOT: 18 }

describe.skipIf(process.getuid?.() !== 0)('hardened (needs root)', () => {
	test('the agent has these capabilities, can get no other, and so can nothing it starts', () => {
		const [program = '', ...args] = [...confinement(), 'sh', '-c', 'cat /proc/self/status']
		const status = execFileSync(program, args, { encoding: 'utf8' })
		const wanted = HARDENED_CAPABILITIES.map(name => 1 << (BITS[name] ?? 63)).reduce((sum, bit) => sum | bit, 0)
		for (const set of ['CapPrm', 'CapEff', 'CapBnd'])
			expect(Number.parseInt(new RegExp(`^${set}:\\s+(\\w+)$`, 'm').exec(status)?.[1] ?? '', 16), set).toBe(wanted)
		expect(status).toMatch(/^NoNewPrivs:\s+1$/m)
	})
})

await import('./run.kernel.test.ts')
await import('./permutation.kernel.test.ts')
