import type { WantedInterface } from '../../contract/interface.ts'
import type { FileState, HostState } from '../host/state.ts'
import { generated, linkPath, netplanPath, NETWORK_FOLDERS, rulePath, SCRIPTS_FOLDER } from '../paths.ts'
import { isNetplan, keepingOf } from './backend.ts'
import { netplanDefinitions, type NetplanDefinition, yamlValue } from './netplan-definitions.ts'
import { isFor, matches } from './networkd.ts'
import { bareText, keyOf, once, shellKeyOf } from './text.ts'

export type DefinitionKind = 'netplan' | 'network' | 'link' | 'keyfile' | 'ifcfg' | 'udev'

/** A file of others that defines one of our NICs. */
export type Definition = {
	path: string
	kind: DefinitionKind
	/** What it names the NIC by; `unclear`: it cannot be read, so it may define any NIC. */
	by: 'MAC' | 'name' | 'netplan id' | 'unclear'
	/** Of one that is unclear. */
	why?: string
	/**
	 * What the next boot makes of it beside ours. `both`: both are applied. `theirs`: it is applied instead of ours. `ours`: the daemon takes
	 * ours, or our udev rule gives the NIC a name that it is not for.
	 */
	applied: 'both' | 'theirs' | 'ours'
}

export type Nic = Pick<WantedInterface, 'name' | 'macAddress'>
type Said = { path: string; file: FileState; content: string; nic: Nic; host: HostState }
export type Found = Omit<Definition, 'path' | 'kind'>
type Reader = { kind: DefinitionKind; reads(path: string): boolean; find(said: Said): Found[] }

/** One reader for each form of file; what none of them reads defines no NIC. */
export const readers: readonly Reader[] = [
	{ kind: 'netplan', reads: isNetplan, find: inNetplan },
	{ kind: 'link', reads: path => isBelow(NETWORK_FOLDERS, path) && path.endsWith('.link'), find: inLink },
	{ kind: 'network', reads: path => isBelow(NETWORK_FOLDERS, path) && path.endsWith('.network'), find: inNetwork },
	{ kind: 'keyfile', reads: path => path.includes('/NetworkManager/system-connections/'), find: inKeyfile },
	{ kind: 'ifcfg', reads: path => path.startsWith(`${SCRIPTS_FOLDER}/ifcfg-`), find: inScript },
	{ kind: 'udev', reads: path => path.endsWith('.rules'), find: inRule },
]

/** Of two definitions with different ids the file that networkd reads first is used: `10-netplan-ID.network`. Those with one id are merged. */
function inNetplan({ path, file, nic }: Said): Found[] {
	// Of two files of one name, in different folders, netplan reads ours.
	const isRead = nameOf(path) !== nameOf(netplanPath(nic.name))
	return definitionsIn(file).flatMap((definition): Found[] => {
		const by = namedBy(definition, nic)
		return by === undefined ? [] : [{ by, applied: isRead ? appliedBy(definition, nic) : 'ours' }]
	})
}

function appliedBy({ id, text }: NetplanDefinition, { name }: Nic): Definition['applied'] {
	if (id === name) return 'both'
	const isOtherName = text.includes('set-name') && yamlValue(text, 'set-name') !== name
	const isLater = id !== undefined && id > name
	return isOtherName || isLater ? 'ours' : 'theirs'
}

/** A bridge or a VLAN that is given our MAC is another link. */
function namedBy({ kind, id, text }: NetplanDefinition, { name, macAddress }: Nic): Definition['by'] | undefined {
	if (id === name) return 'netplan id'
	if (kind !== undefined && kind !== 'ethernets') return undefined
	if (text.toLowerCase().includes(macAddress)) return 'MAC'
	const glob = yamlValue(text, 'name')
	const isNamed = yamlValue(text, 'set-name') === name || (glob !== undefined && text.includes('match') && matches([glob], name))
	return isNamed ? 'name' : undefined
}

/** The first by name that matches is used. Its name for the NIC our udev rule overrules, not the MTU or the MAC that it sets. */
function inLink({ path, content, nic, host }: Said): Found[] {
	const by = content.toLowerCase().includes(nic.macAddress) ? 'MAC' : keyOf(content, 'OriginalName') === nic.name ? 'name' : undefined
	if (by === undefined) return []
	const ours = nameOf(keepingOf(host).link?.(nic.name) ?? linkPath(nic.name))
	const sets = keyOf(content, 'MTUBytes') !== undefined || /\[Link\][^[]*^MACAddress=/m.test(content)
	return [{ by, applied: sets && nameOf(path) <= ours ? 'theirs' : 'ours' }]
}

function inNetwork({ path, content, nic, host }: Said): Found[] {
	const by = content.toLowerCase().includes(nic.macAddress)
		? 'MAC'
		: keyOf(content, 'Name')?.split(/\s+/).includes(nic.name)
			? 'name'
			: undefined
	if (by === undefined) return []
	const isRead = keepingOf(host).generated(nic.name).includes(generated.network(nic.name))
	const isFirst = nameOf(path) <= nameOf(generated.network(nic.name)) && isFor(content, { names: [nic.name], mac: nic.macAddress })
	return [{ by, applied: isRead && isFirst ? 'theirs' : 'ours' }]
}

/** Of the profiles that fit NetworkManager takes that of the highest priority; ours has the highest that there is. */
function inKeyfile({ content, nic }: Said): Found[] {
	const isMac = [keyOf(content, 'mac-address'), keyOf(content, 'MAC')].some(mac => mac?.toLowerCase() === nic.macAddress)
	const by = keyOf(content, 'interface-name') === nic.name ? 'name' : isMac ? 'MAC' : undefined
	if (by === undefined || !/^type=(ethernet|802-3-ethernet)$/m.test(content)) return []
	const isFirst = Number(keyOf(content, 'autoconnect-priority') ?? 0) >= 999 && keyOf(content, 'autoconnect') !== 'false'
	return [{ by, applied: isFirst ? 'theirs' : 'ours' }]
}

/** initscripts bring up every file; NetworkManager the profile of the highest priority. */
function inScript({ content, nic, host }: Said): Found[] {
	const device = shellKeyOf(content, 'DEVICE')
	const isMac = shellKeyOf(content, 'HWADDR')?.toLowerCase() === nic.macAddress
	const by = device === nic.name ? 'name' : isMac ? 'MAC' : undefined
	if (by === undefined) return []
	if (device === undefined) return [{ by, applied: 'theirs' }]
	if (device !== nic.name) return [{ by, applied: 'ours' }]
	if (!host.networkmanager) return [{ by, applied: 'both' }]
	return [{ by, applied: Number(shellKeyOf(content, 'AUTOCONNECT_PRIORITY') ?? 0) >= 999 ? 'theirs' : 'ours' }]
}

/** The last rule that gives a NAME wins; one that gives our name to another NIC takes it away from ours. */
function inRule({ path, content, nic }: Said): Found[] {
	return content.split('\n').flatMap((line): Found[] => {
		const name = /\bNAME:?="([^"]*)"/.exec(line)?.[1]
		const isMac = line.toLowerCase().includes(nic.macAddress)
		if (name === undefined || (!isMac && name !== nic.name)) return []
		const isLater = path > rulePath(nic.name)
		return [{ by: isMac ? 'MAC' : 'name', applied: (isMac ? isLater && name !== nic.name : true) ? 'theirs' : 'ours' }]
	})
}

function isBelow(folders: readonly string[], path: string): boolean {
	return folders.some(folder => path.startsWith(`${folder}/`))
}

/** Every NIC is held against each file, so each is read once. */
const definitionsIn = once((file: FileState) => netplanDefinitions(bareText(file)))

function nameOf(path: string): string {
	return path.slice(path.lastIndexOf('/') + 1)
}
