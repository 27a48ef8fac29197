import type { WantedInterface } from '../../contract/interface.ts'
import type { FileState, Link } from '../model/host-state.ts'
import { generated, NETWORK_FOLDERS } from '../model/paths.ts'
import { isGlobOf } from './glob.ts'
import { iniEntries, type IniEntry, macOf } from './ini.ts'

/** A link as systemd-networkd matches it: by its name or any of its alternative names. */
export type Named = { names: readonly string[]; mac: string }

type Files = Readonly<Record<string, FileState>>

/** [Match] keys that exclude a plain Ethernet device. */
const OF_OTHERS = ['Kind', 'WLANInterfaceType', 'SSID', 'BSSID']

/**
 * Returns the names that a NIC has at boot, the desired one first. Alternative names persist or reappear: udev assigns them by its naming
 * policy, including the name by policy that a NIC had before it was renamed, and udev in an initrd assigns them before MultiNIC's files
 * take effect. A link that networkd configures by MultiNIC's file already has the names that it has after a boot.
 *
 * @param before the link's names before the first run, if recorded
 */
export function bootNames({ name }: WantedInterface, link: Link | undefined, before?: Pick<Link, 'name' | 'altnames'>): string[] {
	const known = link?.networkFile === generated.network(name) ? [] : [before, link].flatMap(one => (one ? namesByPolicy(one) : []))
	return [...new Set([name, ...(link?.altnames ?? []), ...known])]
}

/** The kernel's own names never become alternative names. A link without alternative names has no policy that assigns any. */
function namesByPolicy({ name, altnames }: Pick<Link, 'name' | 'altnames'>): readonly string[] {
	return altnames.length === 0 || /^eth\d+$/.test(name) ? altnames : [name, ...altnames]
}

/**
 * Whether a .network file, or one with its drop-ins appended, matches this link. A condition on a property that is unknown here (driver,
 * path, udev property) is treated as matching.
 *
 * @see systemd.network(5), [Match]
 */
export function isFor(content: string, link: Named): boolean {
	return matchedName(content, link) !== undefined
}

/** @returns the first name of the link that the file matches; undefined: it does not match this link */
export function matchedName(content: string, { names, mac }: Named): string | undefined {
	const entries = iniEntries(content, true)
	const values = (key: string) => matchWords(entries, key)
	const macs = matchMacs(entries)
	const isOtherwise = OF_OTHERS.some(key => values(key).length > 0) || !matches(values('Type'), 'ether')
	if (isOtherwise || (macs.length > 0 && !macs.includes(mac))) return
	return names.find(name => matches(values('Name'), name))
}

/** @returns the .network file that networkd would choose for the Ethernet device: the first one by file name, whatever its directory */
export function networkFileFor(files: Files, link: Named): string | undefined {
	return orderOf(files).find(path => isFor(withDropIns(files, path), link))
}

/** @returns whether networkd reads the first before the second */
export function sortsBefore(path: string, other: string): boolean {
	return nameOf(path) < nameOf(other)
}

/** @returns the text of a .network file with its drop-ins; empty if the file is masked */
export function withDropIns(files: Files, path: string): string {
	const content = files[path]?.content ?? ''
	const folder = `/${nameOf(path)}.d/`
	const more = inNetworkFolders(files, '.conf').filter(conf => conf.includes(folder))
	const texts = firstOfEach(more).map(conf => files[conf]?.content ?? '')
	return content.trim() === '' ? '' : [content, ...texts].join('\n\n')
}

/** A VLAN or a tunnel on top of a link leaves the link unchanged. A bridge, a bond or a VRF does not. */
const ON_TOP = /^(VLAN|VXLAN|MACVLAN|MACVTAP|IPVLAN|IPVTAP|MACsec|Tunnel)=.*\n?/gm

/** @returns whether two .network files configure a link in the same way, apart from the links that each defines on top of it */
export function isSameBelow(content: string | undefined, other: string | undefined): boolean {
	return content?.replaceAll(ON_TOP, '') === other?.replaceAll(ON_TOP, '')
}

/** An empty file, or a symlink to /dev/null, masks files of the same name in later directories. */
function orderOf(files: Files): string[] {
	const paths = inNetworkFolders(files, '.network').filter(path => !/\.d\//.test(path))
	return firstOfEach(paths).filter(path => files[path]?.content.trim() !== '')
}

function inNetworkFolders(files: Files, ending: string): string[] {
	return Object.keys(files).filter(path => path.endsWith(ending) && folderOf(path) !== -1)
}

/** Returns one path per file name, the one in the first directory, sorted by file name. */
function firstOfEach(paths: readonly string[]): string[] {
	const seen = new Map(paths.toSorted((a, b) => folderOf(b) - folderOf(a)).map(path => [nameOf(path), path]))
	return [...seen].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, path]) => path)
}

/**
 * Returns the values of a key from all [Match] sections. A "!" before the first word of a line applies to all words of the line, and an
 * empty value discards those before it.
 */
export function matchWords(entries: readonly IniEntry[], key: string): string[] {
	const lines = entries.flatMap(entry => (entry.section === 'Match' && entry.key === key ? [entry.value] : []))
	return lines.slice(lines.lastIndexOf('') + 1).flatMap(line => {
		const words = line.replace(/^!/, '').trim().replaceAll(/["']/g, '').split(/\s+/)
		return line.startsWith('!') ? words.map(word => `!${word}`) : words
	})
}

/** @returns the MACs that a .network or .link file matches, as the kernel prints them */
export function matchMacs(entries: readonly IniEntry[]): string[] {
	return [...matchWords(entries, 'MACAddress'), ...matchWords(entries, 'PermanentMACAddress')].map(macOf)
}

/**
 * Whether a name matches one of the patterns without "!", if there are any, and no pattern that begins with "!".
 * @see systemd, net_condition_test_strv()
 */
export function matches(patterns: readonly string[], name: string): boolean {
	const isFound = (pattern: string) => isGlobOf(pattern, name)
	if (patterns.some(pattern => pattern.startsWith('!') && isFound(pattern.slice(1)))) return false
	const positive = patterns.filter(pattern => !pattern.startsWith('!'))
	return positive.length === 0 || positive.some(isFound)
}

function folderOf(path: string): number {
	return NETWORK_FOLDERS.findIndex(folder => path.startsWith(`${folder}/`))
}

function nameOf(path: string): string {
	return path.slice(path.lastIndexOf('/') + 1)
}
