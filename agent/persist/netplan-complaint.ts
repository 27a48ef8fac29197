import { NETPLAN_FOLDERS, SCRATCH_FOLDER } from '../model/paths.ts'

/** Explains why netplan's generator rejects its files. */

/**
 * The output of the generator begins with unrelated warnings, contains the paths of the copies that it was given, and ends with the faulty
 * line, which may contain secrets of other programs.
 *
 * @returns only the cause
 */
export function causeIn(stderr: string): string {
	const lines = stderr.replaceAll(SCRATCH_FOLDER, '').split('\n')
	const cause = lines.find(line => line.trim() && !line.includes('WARNING **')) ?? 'it prints no cause'
	return cause.trim().replace(/:$/, '')
}

/**
 * Puts the command first, because netplan's message may be long, and long messages are truncated at the end.
 *
 * @param what the predicate of the sentence, such as `would reject its files at boot`
 * @param cause the result of `causeIn`
 */
export function complaintWords(what: string, cause: string): string {
	const path = NETPLAN_FOLDERS.flatMap(folder => cause.match(new RegExp(`${folder}/[^\\s:]+`)) ?? [])[0]
	const why =
		path === undefined
			? cause
			: cause.replace(`${path}:`, 'line ').replace(/^line (\d+):\d+: (Error in network definition: )?/, 'line $1: ')
	return `netplan ${what} (${path === undefined ? 'netplan get' : `cat ${path}`}): ${why}`
}
