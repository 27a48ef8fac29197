import { NETPLAN_FOLDERS, SCRATCH_FOLDER } from '../paths.ts'

/** Why netplan's generator refuses its files. */

/**
 * It warns of other things first, names the copies that it was given, and at last shows the faulty line, which may hold what others keep secret.
 *
 * @returns the cause alone
 */
export function causeIn(stderr: string): string {
	const lines = stderr.replaceAll(SCRATCH_FOLDER, '').split('\n')
	const cause = lines.find(line => line.trim() && !line.includes('WARNING **')) ?? 'it says nothing'
	return cause.trim().replace(/:$/, '')
}

/**
 * The command comes first: what netplan says may be long, and the end of a message is cut.
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
