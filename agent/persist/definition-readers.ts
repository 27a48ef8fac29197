import type { WantedInterface } from '../../contract/interface.ts'
import { wordsOf } from '../model/failure.ts'
import type { FileState, HostState } from '../model/host-state.ts'
import { memoized } from '../model/memoize.ts'
import { generated, linkPath, netplanPath, NETWORK_FOLDERS, rulePath, SCRIPTS_FOLDER } from '../model/paths.ts'
import { backendFor, isNetplan } from './backend.ts'
import { bareText, shellKeyOf } from './foreign-text.ts'
import { isGlobOf } from './glob.ts'
import { iniEntries, iniValue, macOf } from './ini.ts'
import { type NetplanDefinition, netplanDefinitions } from './netplan-definitions.ts'
import { isFor, matches, matchMacs, matchWords } from './networkd-match.ts'

export type DefinitionKind = 'netplan' | 'network' | 'link' | 'keyfile' | 'ifcfg' | 'udev'

/** A file that is not managed by MultiNIC and defines a managed NIC. */
export type Definition = {
	path: string
	kind: DefinitionKind
	/** How the file identifies the NIC; `unclear`: the file cannot be read, so it may define any NIC. */
	by: 'MAC' | 'name' | 'netplan id' | 'unclear'
	/** For `unclear`: the cause, and the command that shows it. */
	why?: string
	see?: string
	/**
	 * Which definition the next boot applies. `both`: this one and MultiNIC's. `theirs`: this one instead of MultiNIC's. `ours`: MultiNIC's,
	 * because the daemon prefers it, or because this one does not match the name that MultiNIC's udev rule assigns to the NIC.
	 */
	applied: 'both' | 'theirs' | 'ours'
}

export type Nic = Pick<WantedInterface, 'name' | 'macAddress'>
type Said = { path: string; file: FileState; nic: Nic; host: HostState }
export type Found = Omit<Definition, 'path' | 'kind'>
type Reader = { kind: DefinitionKind; reads(path: string): boolean; find(said: Said): Found[] }

/** One reader per file format; files that no reader handles are ignored. */
export const readers: readonly Reader[] = [
	{ kind: 'netplan', reads: isNetplan, find: inNetplan },
	{ kind: 'link', reads: path => isBelow(NETWORK_FOLDERS, path) && path.endsWith('.link'), find: inLink },
	{ kind: 'network', reads: path => isBelow(NETWORK_FOLDERS, path) && path.endsWith('.network'), find: inNetwork },
	{ kind: 'keyfile', reads: path => path.includes('/NetworkManager/system-connections/'), find: inKeyfile },
	{ kind: 'ifcfg', reads: path => path.startsWith(`${SCRIPTS_FOLDER}/ifcfg-`), find: inScript },
	{ kind: 'udev', reads: path => path.endsWith('.rules'), find: inRule },
]

/** @returns a definition of a file that may define any NIC, because it cannot be read or understood */
export function unclear(why: string, see: string): Found {
	return { by: 'unclear', why, see, applied: 'theirs' }
}

/** Every NIC is compared with each file, so each file is parsed only once. */
const definitionsIn = memoized((file: FileState): readonly NetplanDefinition[] | string => {
	try {
		return netplanDefinitions(file.content)
	} catch (error) {
		return wordsOf(error)
	}
})
const settingsIn = memoized((file: FileState) => iniEntries(file.content, true))
const keysIn = memoized((file: FileState) => iniEntries(file.content, false))

/**
 * Of two definitions with different ids, networkd uses the generated file that sorts first: `10-netplan-ID.network`. netplan merges
 * definitions with the same id.
 */
function inNetplan({ path, file, nic }: Said): Found[] {
	// Of two files with the same name in different directories, netplan reads MultiNIC's.
	if (nameOf(path) === nameOf(netplanPath(nic.name))) return inNetplanOf(file, nic).map(found => ({ ...found, applied: 'ours' }))
	return inNetplanOf(file, nic)
}

function inNetplanOf(file: FileState, nic: Nic): Found[] {
	const definitions = definitionsIn(file)
	if (typeof definitions === 'string') return [unclear(definitions, 'cat')]
	return definitions.flatMap((definition): Found[] => {
		const by = namedBy(definition, nic)
		return by === undefined ? [] : [{ by, applied: appliedBy(definition, nic) }]
	})
}

function appliedBy({ id, setName }: NetplanDefinition, { name }: Nic): Definition['applied'] {
	if (id === name) return 'both'
	const isOtherName = setName !== undefined && setName !== name
	return isOtherName || id > name ? 'ours' : 'theirs'
}

/** A bridge or a VLAN that has the MAC of a managed NIC is another link. */
function namedBy(
	{ kind, id, words, setName, matches: patterns }: NetplanDefinition,
	{ name, macAddress }: Nic,
): Definition['by'] | undefined {
	if (id === name) return 'netplan id'
	if (kind !== 'ethernets') return undefined
	if (words.has(macAddress)) return 'MAC'
	return setName === name || (patterns.length > 0 && matches(patterns, name)) ? 'name' : undefined
}

/**
 * udev uses the first matching .link file in order of file names. MultiNIC's udev rule overrides the name that this file assigns, but not
 * the MTU or the MAC that it sets.
 */
function inLink({ path, file, nic, host }: Said): Found[] {
	const entries = settingsIn(file)
	const by = matchMacs(entries).includes(nic.macAddress)
		? 'MAC'
		: matchWords(entries, 'OriginalName').includes(nic.name)
			? 'name'
			: undefined
	if (by === undefined) return []
	const ours = nameOf(backendFor(host).link?.(nic.name) ?? linkPath(nic.name))
	const sets = entries.some(({ section, key }) => section === 'Link' && ['MTUBytes', 'MACAddress'].includes(key))
	return [{ by, applied: sets && nameOf(path) <= ours ? 'theirs' : 'ours' }]
}

function inNetwork({ path, file, nic, host }: Said): Found[] {
	const entries = settingsIn(file)
	const by = matchMacs(entries).includes(nic.macAddress) ? 'MAC' : matchWords(entries, 'Name').includes(nic.name) ? 'name' : undefined
	if (by === undefined) return []
	const isRead = backendFor(host).generated(nic.name).includes(generated.network(nic.name))
	const isFirst = nameOf(path) <= nameOf(generated.network(nic.name)) && isFor(file.content, { names: [nic.name], mac: nic.macAddress })
	return [{ by, applied: isRead && isFirst ? 'theirs' : 'ours' }]
}

/** Of the profiles that match, NetworkManager uses the one with the highest priority; MultiNIC's has the highest possible. */
function inKeyfile({ file, nic }: Said): Found[] {
	const entries = keysIn(file)
	const isMac = [iniValue(entries, 'mac-address'), iniValue(entries, 'MAC')].some(mac => mac !== undefined && macOf(mac) === nic.macAddress)
	const by = iniValue(entries, 'interface-name') === nic.name ? 'name' : isMac ? 'MAC' : undefined
	const isEthernet = entries.some(({ key, value }) => key === 'type' && ['ethernet', '802-3-ethernet'].includes(value))
	if (by === undefined || !isEthernet) return []
	const isFirst = Number(iniValue(entries, 'autoconnect-priority') ?? 0) >= 999 && iniValue(entries, 'autoconnect') !== 'false'
	return [{ by, applied: isFirst ? 'theirs' : 'ours' }]
}

/** initscripts bring up every file; NetworkManager activates the profile with the highest priority. */
function inScript({ file, nic, host }: Said): Found[] {
	const content = bareText(file)
	const device = shellKeyOf(content, 'DEVICE')
	const isMac = macOf(shellKeyOf(content, 'HWADDR') ?? '') === nic.macAddress
	const by = device === nic.name ? 'name' : isMac ? 'MAC' : undefined
	if (by === undefined) return []
	if (device === undefined) return [{ by, applied: 'theirs' }]
	if (device !== nic.name) return [{ by, applied: 'ours' }]
	if (!host.networkmanager) return [{ by, applied: 'both' }]
	return [{ by, applied: Number(shellKeyOf(content, 'AUTOCONNECT_PRIORITY') ?? 0) >= 999 ? 'theirs' : 'ours' }]
}

/** A line that ends with a backslash continues on the next. @see udev(7) */
const rulesIn = memoized((file: FileState) =>
	bareText(file)
		.replaceAll(/\\\n[ \t]*/g, '')
		.split('\n'),
)

/**
 * The last rule that assigns NAME wins, in order of file names, whatever the directory. If a rule assigns a managed name to another NIC,
 * the managed NIC cannot get that name.
 */
function inRule({ path, file, nic }: Said): Found[] {
	const isLater = nameOf(path) > nameOf(rulePath(nic.name))
	return rulesIn(file).flatMap((line): Found[] => {
		const name = nameGiven(line)
		if (name === undefined) return []
		if (line.toLowerCase().includes(nic.macAddress) || isMatchOf(line, nic.macAddress))
			return [{ by: 'MAC', applied: isLater && name !== nic.name ? 'theirs' : 'ours' }]
		return name === nic.name ? [{ by: 'name', applied: 'theirs' }] : []
	})
}

function nameGiven(line: string): string | undefined {
	const [, escaped, name] = /\bNAME\s*:?=\s*(e?)"([^"]*)"/.exec(line) ?? []
	if (!escaped) return name
	return name?.replaceAll(/\\x([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

/** Whether a rule matches a MAC by a pattern: `ATTR{address}=="fa:16:3e:*"`; patterns are separated by `|`. */
function isMatchOf(line: string, mac: string): boolean {
	const found = [...line.matchAll(/\bATTRS?\{address\}\s*==\s*[ei]?"([^"]*)"/g)]
	return (
		found.length > 0 &&
		found.every(([, text = '']) =>
			text
				.toLowerCase()
				.split('|')
				.some(pattern => isGlobOf(pattern, mac)),
		)
	)
}

function isBelow(folders: readonly string[], path: string): boolean {
	return folders.some(folder => path.startsWith(`${folder}/`))
}

function nameOf(path: string): string {
	return path.slice(path.lastIndexOf('/') + 1)
}
