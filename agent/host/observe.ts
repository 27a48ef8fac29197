import { release } from 'node:os'
import { ipJson, parsedOutput } from '../ip/read-json.ts'
import { distinctEncap } from '../ip/parse-encap.ts'
import { parseNetwork } from '../ip/parse-network.ts'
import { parseRules } from '../ip/parse-rules.ts'
import { IPV6_MTU, SYSCTL_KEYS } from '../model/desired-network.ts'
import { failure } from '../model/failure.ts'
import type { FileState, HostState, Link, Surroundings } from '../model/host-state.ts'
import {
	CLOUD_INIT_CACHES,
	CLOUD_INIT_CONFIG,
	CLOUD_INIT_FOLDER,
	CLOUD_INIT_ID,
	CLOUD_INIT_INSTANCE,
	KEYFILE_FOLDER,
	RECORD_PATH,
	settingPath,
} from '../model/paths.ts'
import { readsAtEveryBoot } from '../persist/cloud-init.ts'
import { exec } from './exec.ts'
import { exists } from './files.ts'
import { ignoredFamilies } from './ignored-routes.ts'
import { ignoreMissingIpv6, isIpv6Disabled } from './ipv6-support.ts'
import { type LinkDaemons, linkDaemons } from './link-daemons.ts'
import { readLocks } from './locked-metrics.ts'
import { filesMentioning } from './mentioning-files.ts'
import { filesRead, pathsWith } from './observe-files.ts'
import { MAX_BYTES, readSetting, readText } from './read-files.ts'
import { deviceOf, inOtherNamespace } from './sysfs.ts'

/** host/: reads the host and changes it. Each file uses one program or one part of the file system. */

const generators = ['/usr/libexec/netplan/generate', '/usr/lib/netplan/generate', '/lib/netplan/generate']

/**
 * Reads the state of the whole host once, usually with two `ip` processes, and a few files.
 *
 * @param root where the host's `/` is mounted
 * @param wanted MACs of links whose sysctls this run needs, in addition to those in the record; lower case
 * @throws Failure COMMAND_FAILED when `ip` fails or its output cannot be parsed
 */
export async function observe(root: string, wanted: readonly string[]): Promise<HostState> {
	const [all, ipv6Rules, daemons] = await Promise.all([
		queryIp([], QUERIES),
		queryIp(['-6'], ['rule show']).catch(ignoreMissingIpv6),
		linkDaemons(root),
	])
	const [addresses = [], found4 = [], permanent = [], rules4 = [], proxies = [], objects = []] = all
	const { links, routes, neighbours, nextHopObjects } = parsedOutput(() =>
		parseNetwork({ addresses, routes: found4, neighbours: permanent, proxies, nextHops: objects }),
	)
	const rules = parsedOutput(() => [...parseRules(rules4, 4), ...parseRules(ipv6Rules?.[0] ?? [], 6)])
	const ours = filesRead(root)
	const macs = new Set([...wanted, ...recordedMacs(ours[RECORD_PATH])])
	const found = { ...ours, ...filesMentioning(root, macs) }
	const touchable = new Set(links.flatMap(link => (macs.has(link.permanentMac ?? link.mac) ? [link.ifindex] : [])))
	return {
		...surroundings(root, daemons, macs),
		ipv6: ipv6Rules !== undefined,
		links: links.map(link => ({
			...link,
			...daemons.of(link),
			...ignoredFamilies(root, link),
			...(touchable.has(link.ifindex) && settingsOf(root, link)),
		})),
		routes: await readLocks(routes, link => touchable.has(link)),
		rules,
		neighbours,
		nextHopObjects,
		inOtherNamespace: inOtherNamespace(root, links, found[RECORD_PATH]),
		seconds: Math.floor(Date.now() / 1000),
		files: found,
	}
}

/** Kernels and iproute2 before 5.3 do not support nexthop objects, so the batch fails at this line, which is the last. */
const OPTIONAL = 'nexthop show'
const QUERIES = ['addr show', 'route show table all', 'neigh show nud permanent nud noarp', 'rule show', 'neigh show proxy', OPTIONAL]

async function queryIp(options: readonly string[], lines: readonly string[]): Promise<unknown[]> {
	const { code, stdout, stderr } = await exec('ip', ['-N', '-j', '-d', ...options, '-batch', '-'], `${lines.join('\n')}\n`)
	const isOptional = lines.at(-1) === OPTIONAL && stderr.includes(`Command failed -:${lines.length}`)
	if (code !== 0 && !isOptional) throw failure('COMMAND_FAILED', `ip ${lines.join(', ')}: ${stderr.trim()}`)
	return parsedOutput(() =>
		distinctEncap(stdout)
			.split('\n')
			.filter(line => line.trim())
			.slice(0, code === 0 ? lines.length : lines.length - 1)
			.map(ipJson),
	)
}

function surroundings(root: string, { networkmanager }: LinkDaemons, macs: ReadonlySet<string>): Omit<Surroundings, 'ipv6'> {
	const generator = generators.find(path => exists(root, path))
	return {
		systemd: exists(root, '/run/systemd/system'),
		udev: exists(root, '/run/udev/control'),
		netplan: exists(root, '/etc/netplan'),
		networkd: exists(root, '/run/systemd/netif'),
		networkmanager,
		keyfiles: exists(root, KEYFILE_FOLDER),
		cloudInit: {
			macs: rememberedByCloudInit(root, macs),
			...(readsNicsAtBoot(root) && { everyBoot: true }),
			forced: (readSetting(`${root}/proc/cmdline`) ?? '').includes('network-config='),
		},
		liveRename: isKernelAtLeast(release(), 6, 2),
		...(generator !== undefined && { generator }),
	}
}

/** @returns whether a kernel release such as `6.18.44-generic` is at least this version */
export function isKernelAtLeast(kernel: string, major: number, minor: number): boolean {
	const [a = 0, b = 0] = kernel.split(/[.-]/).map(Number)
	return a > major || (a === major && b >= minor)
}

/** Maximum bytes of a cloud-init cache file, which also contains user data. */
const CACHE = 16 * MAX_BYTES

function rememberedByCloudInit(root: string, macs: ReadonlySet<string>): string[] {
	const remembered = CLOUD_INIT_CACHES.map(path => readText(root, path, CACHE).toLowerCase())
	return [...macs].filter(mac => remembered.some(text => text.includes(mac)))
}

function readsNicsAtBoot(root: string): boolean {
	const paths = [CLOUD_INIT_CONFIG, ...pathsWith(root, CLOUD_INIT_FOLDER, '.cfg'), CLOUD_INIT_INSTANCE]
	return readsAtEveryBoot(
		paths.map(path => readText(root, path)),
		readText(root, CLOUD_INIT_ID),
	)
}

function settingsOf(root: string, link: Link): Pick<Link, 'sysctls' | 'ipv6Disabled' | 'device'> {
	const settings = [...SYSCTL_KEYS, IPV6_MTU].map(key => [key, readSetting(`${root}/proc/sys/${settingPath(link.name, key)}`)])
	const isSaid = ([key, value]: (string | undefined)[]) => value !== undefined && !(key === IPV6_MTU && value === String(link.mtu))
	const sysctls = Object.fromEntries(settings.filter(isSaid))
	return { sysctls, ...deviceOf(root, link.name), ...(isIpv6Disabled(root, link) && { ipv6Disabled: true }) }
}

/** Extracts the MACs without parsing the record: the run rejects an invalid record, not the observation. */
function recordedMacs(file: FileState | undefined): string[] {
	return [...(file?.content ?? '').matchAll(/"mac":\s*"([0-9a-f:]{17})"/g)].map(([, mac = '']) => mac)
}
