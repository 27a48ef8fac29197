import type { FileState } from '../host/state.ts'
import { NETWORK_FOLDERS } from '../paths.ts'

export type Named = { name: string; mac: string }

/** What a plain Ethernet device does not have. */
const OF_OTHERS = ['Kind', 'WLANInterfaceType', 'SSID', 'BSSID']

/**
 * Whether a .network file is for a link of this name. What a link does not tell here (its driver, its path) counts as matching.
 *
 * @see systemd.network(5), [Match]
 */
export function isFor(content: string, { name, mac }: Named): boolean {
	const section = /^\[Match\]$([\s\S]*?)(?=^\[|(?![\s\S]))/m.exec(content)?.[1] ?? ''
	const values = (key: string) =>
		[...section.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].flatMap(([, words = '']) => words.trim().split(/\s+/))
	const names = values('Name')
	const macs = [...values('MACAddress'), ...values('PermanentMACAddress')].map(word => word.toLowerCase())
	const types = values('Type')
	const isOtherwise = OF_OTHERS.some(key => values(key).length > 0) || (types.length > 0 && !matches(types, 'ether'))
	return !isOtherwise && (names.length === 0 || matches(names, name)) && (macs.length === 0 || macs.includes(mac))
}

/** @returns the .network file that networkd would choose for the Ethernet device: the first by its own name, whatever its folder */
export function networkFileFor(files: Readonly<Record<string, FileState>>, link: Named): string | undefined {
	const paths = Object.keys(files).filter(
		path => path.endsWith('.network') && NETWORK_FOLDERS.some(folder => path.startsWith(`${folder}/`)),
	)
	const seen = new Map(paths.toSorted((a, b) => folderOf(b) - folderOf(a)).map(path => [nameOf(path), path]))
	const ordered = [...seen].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, path]) => path)
	return ordered.find(path => isFor(files[path]?.content ?? '', link))
}

/** One of the patterns, unless the first begins with "!": then none of them. */
export function matches(patterns: readonly string[], name: string): boolean {
	const inverted = patterns[0]?.startsWith('!') ?? false
	const found = patterns.some((pattern, at) => glob(inverted && at === 0 ? pattern.slice(1) : pattern).test(name))
	return found !== inverted
}

function glob(pattern: string): RegExp {
	const words = pattern
		.replace(/[.+^${}()|\\]/g, '\\$&')
		.replaceAll('*', '.*')
		.replaceAll('?', '.')
		.replaceAll('[!', '[^')
	try {
		return new RegExp(`^${words}$`)
	} catch {
		return /^$/ // A bracket that is never closed matches nothing.
	}
}

function folderOf(path: string): number {
	return NETWORK_FOLDERS.findIndex(folder => path.startsWith(`${folder}/`))
}

function nameOf(path: string): string {
	return path.slice(path.lastIndexOf('/') + 1)
}
