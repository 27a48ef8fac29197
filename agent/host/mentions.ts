import { KEYFILE_FOLDER, MADE_AT_BOOT, NETWORK_FOLDERS, UDEV_ETC_FOLDER, UDEV_FOLDERS } from '../paths.ts'
import { namesIn } from './files.ts'
import { foreignReader } from './read.ts'
import type { FileState } from './state.ts'

/** Files of others that are kept only where they mention one of our NICs, with what counts as such a file. */
const folders: readonly (readonly [folder: string, ending: string])[] = [
	...NETWORK_FOLDERS.map(folder => [folder, '.link'] as const),
	...[KEYFILE_FOLDER, '/run/NetworkManager/system-connections', '/usr/lib/NetworkManager/system-connections'].map(
		folder => [folder, ''] as const,
	),
]

/**
 * Profiles of NetworkManager hold secrets of others, so of those that do not mention our NICs nothing is kept.
 *
 * @param root where the host's `/` is mounted
 * @param macs lower case
 * @returns path on the host → file
 */
export function mentioning(root: string, macs: ReadonlySet<string>): Record<string, FileState> {
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

/** Rules in /etc are read as a whole; of those with one name udev reads that of the first folder. */
function rulesBesideEtc(root: string): string[] {
	const all = UDEV_FOLDERS.flatMap(folder => namesIn(root, folder).map(name => ({ name, path: `${folder}/${name}` })))
	const first = new Map(all.toReversed().map(({ name, path }) => [name, path]))
	const isOther = (path: string) => path.endsWith('.rules') && !path.startsWith(`${UDEV_ETC_FOLDER}/`) && !MADE_AT_BOOT.includes(path)
	return [...first.values()].filter(isOther)
}

/** A MAC may also be written with hyphens or dots, in several lines, or as a pattern of a rule that gives names. */
function isMention(content: string, macs: ReadonlySet<string>): boolean {
	const text = content.replaceAll(/\\\n\s*/g, '').toLowerCase()
	const digits = text.replaceAll(/[:.-]/g, '')
	const isPattern = /\bname\s*:?=\s*e?"/.test(text) && text.includes('{address}')
	return isPattern || /multinic\d/.test(text) || [...macs].some(mac => digits.includes(mac.replaceAll(':', '')))
}
