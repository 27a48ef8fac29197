import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { cacheDir, exists, fingerprint, makeOnce } from './cache.ts'
import { contained } from './contained.ts'
import { Missing } from './missing.ts'
import { printLine, step } from './progress.ts'

/** Packages that the lab needs from the distribution, and why. */
export const hostPackages = {
	'user-mode-linux': 'the kernel of the nodes',
	debootstrap: 'makes their file system, and that of the images',
	buildah: 'builds the images',
	'openssh-client': 'runs commands on the nodes',
	e2fsprogs: 'writes their disks',
	iproute2: 'wires them together',
	'dnsmasq-base': 'gives leases on their networks',
	tcc: 'compiles what their kernel lacks for newer CPUs',
} as const

/** Packages that the agent's probes need in addition to Node, and why. */
export const probePackages = {
	'iputils-arping': 'asks whether an address is in use',
	'iputils-ping': 'asks how large a packet a path carries',
} as const

/** The package that loses packets, if the kernel has no netem. */
export const lossPackages = { nftables: 'drops packets by chance' } as const

/** The package that checks netplan's files. */
export const netplanPackages = { 'netplan.io': 'its generator says whether it accepts them' } as const

/** Packages that make config drives as Nova does, and why. */
export const drivePackages = {
	genisoimage: 'writes ISO 9660',
	dosfstools: 'makes a FAT',
	mtools: 'writes into it',
} as const

/** The package that checks Prometheus rules and queries. */
export const monitoringPackages = { prometheus: 'its promtool tries the rules and reads the dashboard' } as const

/** Name → why it is needed. */
type Wanted = Readonly<Record<string, string>>

/** Packages that are unpacked in the lab's own folder, not installed. */
export interface Packages {
	/** The folder into which they are unpacked. */
	readonly root: string
	/** In this environment their programs are found, and find their libraries and data. */
	readonly env: Readonly<Record<string, string>>
}

/**
 * Downloads the packages that this machine does not have, with all their dependencies, and unpacks them in the cache. The machine itself is
 * not changed: nothing is installed, no service is started. Throws `Missing` if the distribution does not have them.
 */
export async function unpackPackages(wanted: Wanted = hostPackages): Promise<Packages> {
	const names = await notInstalled(Object.keys(wanted))
	const root = cacheDir(`packages-${fingerprint(...names)}`)
	if ((await exists(root)) && (await lacksLibraries(root))) await rm(root, { recursive: true })
	await makeOnce(root, async draft => {
		announce(wanted, names)
		await step('downloading and unpacking them', () => fill(draft, names))
	})
	return { root, env: environment(root) }
}

/** Libraries that the machine had were not unpacked, and may have been removed from it since. @see ldd(1) */
async function lacksLibraries(root: string): Promise<boolean> {
	const folders = await Promise.all(programFolders.map(folder => readdir(join(root, folder)).catch(() => [])))
	const programs = folders.flatMap((names, i) => names.map(name => join(root, programFolders[i] ?? '', name)))
	const { stdout } = await contained(['ldd', ...programs], { reject: false, env: { ...environment(root), LC_ALL: 'C' } })
	return stdout.includes('not found')
}

const programFolders = ['usr/local/sbin', 'usr/sbin', 'usr/bin', 'sbin', 'bin'] as const

/** The result is also part of the cache's key: a package that is removed from the machine later is then downloaded. */
async function notInstalled(names: readonly string[]): Promise<string[]> {
	const { stdout } = await contained(['dpkg-query', '--status', ...names], { reject: false, env: { LC_ALL: 'C' } })
	const installed = [...stdout.matchAll(/^Package: (\S+)\nStatus: install ok installed$/gm)].map(match => match[1])
	return names.filter(name => !installed.includes(name))
}

function announce(wanted: Wanted, names: readonly string[]): void {
	if (names.length === 0) return
	printLine('These packages of the distribution are needed. They are kept in a separate folder; nothing is installed:')
	for (const [name, why] of Object.entries(wanted)) if (names.includes(name)) printLine(`  ${name.padEnd(16)} ${why}`)
}

async function fill(root: string, names: string[]): Promise<void> {
	await mkdir(root, { recursive: true })
	if (names.length === 0) return
	const debs = `${root}.debs`
	await mkdir(join(debs, 'partial'), { recursive: true })
	await download(debs, names).catch(async () => {
		await contained(['apt-get', 'update', '-q'], quiet).catch(notThere)
		await download(debs, names).catch(notThere)
	})
	for (const deb of await readdir(debs)) if (deb.endsWith('.deb')) await contained(['dpkg', '-x', join(debs, deb), root])
	await rm(debs, { recursive: true })
}

const quiet = { env: { DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' } }

/** `install --download-only` and not `download`: it adds dependencies and omits what is installed. */
async function download(debs: string, names: string[]): Promise<void> {
	const options = ['--yes', '--no-install-recommends', '--download-only', '-o', 'Debug::NoLocking=1', '-o', `Dir::Cache::archives=${debs}`]
	await contained(['apt-get', 'install', ...options, ...names], quiet)
}

function notThere(error: unknown): never {
	const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : String(error)
	throw new Missing([{ part: `packages of the distribution (${said})`, remedy: 'use Debian 12, and let apt-get reach a mirror' }])
}

function environment(root: string): Record<string, string> {
	const programs = programFolders.map(folder => join(root, folder))
	const multiarch = process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu'
	const libraries = [`usr/lib/${multiarch}`, `lib/${multiarch}`].map(folder => join(root, folder))
	const system = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']
	return {
		PATH: [...programs, process.env.PATH ?? '', ...system].join(':'),
		LD_LIBRARY_PATH: libraries.join(':'),
		DEBOOTSTRAP_DIR: join(root, 'usr/share/debootstrap'),
	}
}
