import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { cacheDir, exists, fingerprint, makeOnce } from './cache.ts'
import { contained } from './contained.ts'
import { Missing } from './missing.ts'
import { printLine, step } from './progress.ts'

/** Distribution packages that the lab needs, each with its purpose. */
export const hostPackages = {
	'user-mode-linux': 'the kernel of the nodes',
	debootstrap: 'creates their file system, and that of the images',
	buildah: 'builds the images',
	'openssh-client': 'runs commands on the nodes',
	e2fsprogs: 'creates their disks',
	iproute2: 'connects them',
	'dnsmasq-base': 'serves DHCP on their networks',
	tcc: 'compiles a library that their kernel needs on newer CPUs',
} as const

/** Packages that the agent's probes need in addition to Node, each with its purpose. */
export const probePackages = {
	'iputils-arping': 'checks whether an address is in use',
	'iputils-ping': 'checks the MTU of a path',
} as const

/** The package that simulates packet loss if the kernel has no netem. */
export const lossPackages = { nftables: 'drops random packets' } as const

/** The package that validates netplan files. */
export const netplanPackages = { 'netplan.io': 'its generator validates them' } as const

/** Packages that create config drives as Nova does, each with its purpose. */
export const drivePackages = {
	genisoimage: 'writes ISO 9660',
	dosfstools: 'creates a FAT file system',
	mtools: 'writes files to it',
} as const

/** The package that checks Prometheus rules and queries. */
export const monitoringPackages = { prometheus: 'its promtool tests the rules and the queries of the dashboard' } as const

/** The database server of the inventory, for installations with more than one mgmt. */
export const databasePackages = { 'mariadb-server': 'the database of the inventory' } as const

/** Maps a package name to the reason why it is needed. */
type Wanted = Readonly<Record<string, string>>

/** Packages that are unpacked in a directory of the lab instead of installed. */
export interface Packages {
	/** The directory with the unpacked packages. */
	readonly root: string
	/** Environment variables for the programs of the packages: where the programs, their libraries and their data are. */
	readonly env: Readonly<Record<string, string>>
}

/**
 * Downloads those packages that are not installed on this machine, with their missing dependencies, and unpacks them in the cache. The
 * machine itself does not change: nothing is installed, no service is started. Throws `Missing` if apt-get cannot download them.
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

/**
 * Reports whether an unpacked program lacks a library. Libraries that were installed on the machine were not unpacked, and may have been
 * removed since. @see ldd(1)
 */
async function lacksLibraries(root: string): Promise<boolean> {
	const folders = await Promise.all(programFolders.map(folder => readdir(join(root, folder)).catch(() => [])))
	const programs = folders.flatMap((names, i) => names.map(name => join(root, programFolders[i] ?? '', name)))
	const { stdout } = await contained(['ldd', ...programs], { reject: false, env: { ...environment(root), LC_ALL: 'C' } })
	return stdout.includes('not found')
}

const programFolders = ['usr/local/sbin', 'usr/sbin', 'usr/bin', 'sbin', 'bin'] as const

/**
 * Returns the names of the packages that are not installed. They are part of the cache key, so a package that is uninstalled later is
 * downloaded.
 */
async function notInstalled(names: readonly string[]): Promise<string[]> {
	const { stdout } = await contained(['dpkg-query', '--status', ...names], { reject: false, env: { LC_ALL: 'C' } })
	const installed = [...stdout.matchAll(/^Package: (\S+)\nStatus: install ok installed$/gm)].map(match => match[1])
	return names.filter(name => !installed.includes(name))
}

function announce(wanted: Wanted, names: readonly string[]): void {
	if (names.length === 0) return
	printLine('These packages of the distribution are needed. They are kept in a separate directory; nothing is installed:')
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

/** Uses `install --download-only` instead of `download`, because it adds dependencies and skips installed packages. */
async function download(debs: string, names: string[]): Promise<void> {
	const options = ['--yes', '--no-install-recommends', '--download-only', '-o', 'Debug::NoLocking=1', '-o', `Dir::Cache::archives=${debs}`]
	await contained(['apt-get', 'install', ...options, ...names], quiet)
}

function notThere(error: unknown): never {
	const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : String(error)
	throw new Missing([
		{ part: `packages of the distribution (${said})`, remedy: 'use Debian 12, and make sure that apt-get can reach a mirror' },
	])
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
