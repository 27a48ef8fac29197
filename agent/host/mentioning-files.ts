import type { FileState } from '../model/host-state.ts'
import { KEYFILE_FOLDER, MADE_AT_BOOT, NETWORK_FOLDERS, UDEV_ETC_FOLDER, UDEV_FOLDERS } from '../model/paths.ts'
import { namesIn } from './files.ts'
import { foreignReader } from './read-files.ts'

/**
 * Directories of files not managed by MultiNIC that are considered only if they mention a managed NIC, each with the suffix of such files.
 */
const folders: readonly (readonly [folder: string, ending: string])[] = [
	...NETWORK_FOLDERS.map(folder => [folder, '.link'] as const),
	...[KEYFILE_FOLDER, '/run/NetworkManager/system-connections', '/usr/lib/NetworkManager/system-connections'].map(
		folder => [folder, ''] as const,
	),
]

/**
 * Finds the files that mention a managed NIC. NetworkManager profiles contain secrets of other programs, so profiles that mention
 * none are dropped.
 *
 * @param root where the host's `/` is mounted
 * @param macs MACs of managed NICs, in lower case
 * @returns path on the host → file
 */
export function filesMentioning(root: string, macs: ReadonlySet<string>): Record<string, FileState> {
	const paths = folders.flatMap(([folder, ending]) =>
		namesIn(root, folder).flatMap(name => (name.endsWith(ending) ? [`${folder}/${name}`] : [])),
	)
	return Object.fromEntries(
		[...paths, ...rulesBesideEtc(root)].flatMap(path => {
			const file = foreignReader(root)(path)
			return file && (file.unreadable !== undefined || isMention(file.content, macs)) ? [[path, file] as const] : []
		}),
	)
}

/**
 * Returns the udev rules outside /etc; those in /etc are always read. If several files have the same name, udev reads only the one in the
 * first directory.
 */
function rulesBesideEtc(root: string): string[] {
	const all = UDEV_FOLDERS.flatMap(folder => namesIn(root, folder).map(name => ({ name, path: `${folder}/${name}` })))
	const first = new Map(all.toReversed().map(({ name, path }) => [name, path]))
	const isOther = (path: string) => path.endsWith('.rules') && !path.startsWith(`${UDEV_ETC_FOLDER}/`) && !MADE_AT_BOOT.includes(path)
	return [...first.values()].filter(isOther)
}

/**
 * A MAC may also be written with hyphens or dots, or split over several lines. A rule that assigns names by address is included too,
 * because it may contain a pattern.
 */
function isMention(content: string, macs: ReadonlySet<string>): boolean {
	const text = content.replaceAll(/\\\n\s*/g, '').toLowerCase()
	const digits = text.replaceAll(/[:.-]/g, '')
	const isPattern = /\bname\s*:?=\s*e?"/.test(text) && text.includes('{address}')
	return isPattern || /multinic\d/.test(text) || [...macs].some(mac => digits.includes(mac.replaceAll(':', '')))
}
