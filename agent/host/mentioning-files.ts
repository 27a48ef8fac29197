import type { FileState } from '../model/host-state.ts'
import { KEYFILE_FOLDER, MADE_AT_BOOT, NETWORK_FOLDERS, UDEV_ETC_FOLDER, UDEV_FOLDERS } from '../model/paths.ts'
import { namesIn } from './files.ts'
import { foreignReader } from './read-files.ts'

/** Folders of files that are not managed by MultiNIC and are kept only if they mention a managed NIC, with the suffix of such files. */
const folders: readonly (readonly [folder: string, ending: string])[] = [
	...NETWORK_FOLDERS.map(folder => [folder, '.link'] as const),
	...[KEYFILE_FOLDER, '/run/NetworkManager/system-connections', '/usr/lib/NetworkManager/system-connections'].map(
		folder => [folder, ''] as const,
	),
]

/**
 * NetworkManager's profiles contain secrets of other programs, so those that do not mention a managed NIC are not kept.
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

/** Rules in /etc are always kept. Of several files with the same name udev reads the one in the first folder. */
function rulesBesideEtc(root: string): string[] {
	const all = UDEV_FOLDERS.flatMap(folder => namesIn(root, folder).map(name => ({ name, path: `${folder}/${name}` })))
	const first = new Map(all.toReversed().map(({ name, path }) => [name, path]))
	const isOther = (path: string) => path.endsWith('.rules') && !path.startsWith(`${UDEV_ETC_FOLDER}/`) && !MADE_AT_BOOT.includes(path)
	return [...first.values()].filter(isOther)
}

/** A MAC may also be written with hyphens or dots, on several lines, or as a pattern of a rule that assigns names. */
function isMention(content: string, macs: ReadonlySet<string>): boolean {
	const text = content.replaceAll(/\\\n\s*/g, '').toLowerCase()
	const digits = text.replaceAll(/[:.-]/g, '')
	const isPattern = /\bname\s*:?=\s*e?"/.test(text) && text.includes('{address}')
	return isPattern || /multinic\d/.test(text) || [...macs].some(mac => digits.includes(mac.replaceAll(':', '')))
}
