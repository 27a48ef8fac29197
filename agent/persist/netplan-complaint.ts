import { NETPLAN_FOLDERS, SCRATCH_FOLDER } from '../model/paths.ts'

/** Explains why netplan's generator rejects its files. */

/**
 * The generator first warns about other things, names the copies that it was given, and finally shows the faulty line, which may contain
 * secrets of other programs.
 *
 * @returns the cause alone
 */
export function causeIn(stderr: string): string {
	const lines = stderr.replaceAll(SCRATCH_FOLDER, '').split('\n')
	const cause = lines.find(line => line.trim() && !line.includes('WARNING **')) ?? 'it says nothing'
	return cause.trim().replace(/:$/, '')
}

/**
 * Puts the command first, because netplan's message may be long and the end of a message is cut.
 *
 * @param what it does, such as `would reject its files at boot`
 * @param cause of `causeIn`
 */
export function complaintWords(what: string, cause: string): string {
	const path = NETPLAN_FOLDERS.flatMap(folder => cause.match(new RegExp(`${folder}/[^\\s:]+`)) ?? [])[0]
	const why =
		path === undefined
			? cause
			: cause.replace(`${path}:`, 'line ').replace(/^line (\d+):\d+: (Error in network definition: )?/, 'line $1: ')
	return `netplan ${what} (${path === undefined ? 'netplan get' : `cat ${path}`}): ${why}`
}
