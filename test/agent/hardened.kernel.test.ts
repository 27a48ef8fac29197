import { execFileSync } from 'node:child_process'
import { chownSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { HARDENED_CAPABILITIES } from '../../controller/act/host-access.ts'
import { confinement, nodeHost } from './node-host.ts'

/** Runs cases of other kernel tests with only the capabilities of a hardened container. */
process.env.CAPABILITIES = HARDENED_CAPABILITIES.join(',')
process.env.PERMUTATIONS = '20'

/** @see linux/capability.h */
const BITS: Record<string, number> = { CHOWN: 0, NET_ADMIN: 12, NET_RAW: 13, SYS_CHROOT: 18 }

describe.skipIf(process.getuid?.() !== 0)('a hardened container (needs root)', () => {
	test('the agent and its child processes have its capabilities and cannot gain others', () => {
		const [program = '', ...args] = [...confinement(), 'sh', '-c', 'cat /proc/self/status']
		const status = execFileSync(program, args, { encoding: 'utf8' })
		const wanted = HARDENED_CAPABILITIES.map(name => 1 << (BITS[name] ?? 63)).reduce((sum, bit) => sum | bit, 0)
		for (const set of ['CapPrm', 'CapEff', 'CapBnd'])
			expect(Number.parseInt(new RegExp(`^${set}:\\s+(\\w+)$`, 'm').exec(status)?.[1] ?? '', 16), set).toBe(wanted)
		expect(status).toMatch(/^NoNewPrivs:\s+1$/m)
	})

	test('a removal restores the group of a file that existed before', async () => {
		const host = await nodeHost()
		try {
			const file = `${host.inner}/etc/sysctl.d/99-multinic0.conf`
			writeFileSync(file, '# of another program\n')
			chownSync(file, 0, 4)
			await host.ip('link add ens0 address fa:16:3e:00:00:00 type veth peer name peer0')
			const { report } = await host.agent([{ id: 0, macAddress: 'fa:16:3e:00:00:00', address: '10.0.0.23', cidr: '10.0.0.0/24' }])
			expect(report).toMatchObject({ outcome: 'Succeeded' })
			expect(readFileSync(file, 'utf8')).toContain('MultiNIC')
			await host.agent([], { mode: 'Cleanup' })
			expect([readFileSync(file, 'utf8'), statSync(file).gid]).toEqual(['# of another program\n', 4])
		} finally {
			host.close()
		}
	})
})

await import('./run.kernel.test.ts')
await import('./permutation.kernel.test.ts')
