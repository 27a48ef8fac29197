import type { WantedInterface } from '../../contract/interface.ts'
import { primaryLink } from '../model/default-routes.ts'
import type { Daemon, FileState, HostState } from '../model/host-state.ts'
import { generated, keyfilePath, linkPath, NETPLAN_FOLDERS, scriptPath, SCRIPTS_FOLDER } from '../model/paths.ts'
import { bootFiles } from './common-files.ts'
import { ifcfgFiles } from './ifcfg.ts'
import { keyfileFiles } from './keyfile.ts'
import { netplanFiles } from './netplan-file.ts'

/** persist/: builds the files of each backend for the next boot, and finds files that contradict them. Pure. */

/** How a host stores its network settings. */
export type Backend = 'netplan-networkd' | 'netplan-networkmanager' | 'networkmanager-keyfile' | 'ifcfg'

/** The files of one interface for a backend, and the files generated from them. */
export type BackendFiles = {
	/** Path → file, as MultiNIC writes them. */
	files(nic: WantedInterface, host: HostState): Record<string, FileState>
	/**
	 * Paths of the files that netplan's generator makes at every boot. A run also writes them immediately, because a NIC may be plugged in
	 * again.
	 */
	generated(name: string): string[]
	/** The profile that NetworkManager must also load immediately. */
	profile?(name: string): string
	/** The .link file that udev must use. */
	link?(name: string): string
}

const backends: Record<Backend, BackendFiles> = {
	'netplan-networkd': {
		files: nic => netplanFiles(nic, 'networkd'),
		generated: name => [generated.link(name), generated.network(name), generated.rule(name)],
		link: generated.link,
	},
	'netplan-networkmanager': {
		files: nic => netplanFiles(nic, 'NetworkManager'),
		generated: name => [generated.profile(name)],
		profile: generated.profile,
		link: generated.link,
	},
	'networkmanager-keyfile': { files: keyfileFiles, generated: () => [], profile: keyfilePath, link: linkPath },
	ifcfg: { files: ifcfgFiles, generated: () => [], profile: name => scriptPath('ifcfg', name) },
}

/** @returns how this host stores an interface; `attempt` has ensured that the backend is known */
export function backendFor(host: HostState): BackendFiles {
	const found = backendOf(host)
	if ('unknown' in found) throw new Error(found.unknown)
	const backend = backends[found.backend]
	return { ...backend, files: nic => ({ ...backend.files(nic, host), ...bootFiles(nic) }) }
}

/** Checked in order: the first that applies determines the backend. */
const conditions: readonly (readonly [backend: Backend, isSo: (host: HostState) => boolean])[] = [
	['netplan-networkmanager', host => usesNetplan(host) && rendererOf(host) === 'NetworkManager'],
	['netplan-networkd', usesNetplan],
	['ifcfg', hasScriptOfPrimary],
	['networkmanager-keyfile', ({ networkmanager }) => networkmanager],
	['networkmanager-keyfile', ({ keyfiles, networkd, netplan }) => keyfiles && !networkd && !netplan],
	['netplan-networkd', ({ netplan }) => netplan],
]

/** @returns the backend, determined by what manages the host now, or a sentence that lists what was searched for */
export function backendOf(host: HostState): { backend: Backend } | { unknown: string } {
	const found = conditions.find(([, isSo]) => isSo(host))
	if (found) return { backend: found[0] }
	const alone = host.networkd ? '; systemd-networkd runs here, but is supported only together with netplan' : ''
	return { unknown: `found neither netplan nor NetworkManager nor ifcfg files in ${SCRIPTS_FOLDER}${alone}` }
}

/** Whether netplan reads this file. */
export function isNetplan(path: string): boolean {
	return NETPLAN_FOLDERS.some(folder => path.startsWith(`${folder}/`)) && path.endsWith('.yaml')
}

/** The directory alone does not mean that netplan is used: some packages install an empty one. */
function usesNetplan({ netplan, generator, files }: HostState): boolean {
	return netplan && (generator !== undefined || Object.keys(files).some(isNetplan))
}

/**
 * The daemon that manages the primary link; if none does, the daemon that runs; if that is ambiguous, the renderer in the netplan files.
 */
function rendererOf(host: HostState): Daemon {
	const manager = primaryOf(host)?.managedBy
	if (manager) return manager
	if (host.networkd !== host.networkmanager) return host.networkmanager ? 'NetworkManager' : 'systemd-networkd'
	const said = Object.entries(host.files).some(
		([path, { content }]) => isNetplan(path) && /renderer["']?\s*:\s*["']?NetworkManager/.test(content),
	)
	return said ? 'NetworkManager' : 'systemd-networkd'
}

/** Files not managed by MultiNIC may remain from before an upgrade, so if there is a primary link, only a file for it is considered. */
function hasScriptOfPrimary(host: HostState): boolean {
	const primary = primaryOf(host)
	return Object.entries(host.files).some(([path, { content }]) => {
		if (!path.startsWith(`${SCRIPTS_FOLDER}/ifcfg-`) || path.endsWith('/ifcfg-lo')) return false
		return !primary || path.endsWith(`/ifcfg-${primary.name}`) || content.toLowerCase().includes(primary.mac)
	})
}

function primaryOf({ routes, links }: HostState) {
	const primary = primaryLink(routes)
	return links.find(({ ifindex }) => ifindex === primary)
}
