import { KEYFILE_FOLDER, NETWORK_FOLDERS } from '../paths.ts'
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
		paths.flatMap(path => {
			const file = foreignReader(root)(path)
			return file && (file.unreadable !== undefined || isMention(file.content, macs)) ? [[path, file] as const] : []
		}),
	)
}

function isMention(content: string, macs: ReadonlySet<string>): boolean {
	const text = content.toLowerCase()
	return /\bmultinic\d/.test(text) || [...macs].some(mac => text.includes(mac))
}
