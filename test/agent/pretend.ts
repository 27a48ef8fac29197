import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { netplanPackages, unpackPackages } from '../../lab/base/packages.ts'
import type { NodeHost } from './node-host.ts'

/** What a test needs and a network namespace lacks: enough of systemd to arm a run, and enough of netplan to reject files. */

/** Mimics the parts of systemd that a run uses: its directories, the host's programs, and a bus that replies. */
export async function pretendSystemd(host: NodeHost): Promise<void> {
	for (const folder of ['run/systemd/system', 'etc/systemd/system/sysinit.target.wants', 'usr', 'bin', 'lib', 'lib64'])
		mkdirSync(join(host.root, folder), { recursive: true })
	for (const folder of ['/usr', '/bin', '/lib', '/lib64']) await mount(host, folder, '--bind', folder)
	await mount(host, '/usr/local/sbin', '-t', 'tmpfs', 'tmpfs')
	writeFileSync(join(host.inner, 'usr/local/sbin/busctl'), '#!/bin/sh\n', { mode: 0o755 })
}

/** Installs a script as netplan's generator, which the host lacks. */
export async function pretendGenerator(host: NodeHost, script: string): Promise<void> {
	await mount(host, '/usr/libexec', '-t', 'tmpfs', 'tmpfs')
	mkdirSync(join(host.inner, 'usr/libexec/netplan'))
	writeFileSync(join(host.inner, 'usr/libexec/netplan/generate'), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
}

/**
 * Mounts netplan's own generator from the distribution's package. The host must have the programs and libraries that `pretendSystemd`
 * provides.
 */
export async function netplanGenerator(host: NodeHost): Promise<void> {
	const { root, env } = await unpackPackages(netplanPackages)
	await mount(host, '/opt/netplan', '--bind', root)
	const libraries = (env.LD_LIBRARY_PATH ?? '').replaceAll(root, '/opt/netplan')
	await pretendGenerator(host, `LD_LIBRARY_PATH=${libraries} exec /opt/netplan/usr/libexec/netplan/generate "$@"`)
}

/** @param folder a directory of the host, which is created if it does not exist */
export async function mount(host: NodeHost, folder: string, ...args: string[]): Promise<void> {
	mkdirSync(host.inner + folder, { recursive: true })
	const { code, stderr } = await host.inside('mount', [...args, host.root + folder])
	if (code !== 0) throw new Error(stderr)
}
