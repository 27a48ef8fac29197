import { exists, namesIn, programAt } from '../host/files.ts'
import { MAX_BYTES, readText } from '../host/read-files.ts'
import { type Device, deviceWord, deviceWordAmong } from '../ip/device-word.ts'
import { failure } from '../model/failure.ts'
import type { Programs } from './systemd-units.ts'

/** Placeholder for callers that need only the paths of the undo files. */
export const programNames: Programs = { ip: 'ip', cp: 'cp', mv: 'mv', rm: 'rm', sleep: 'sleep' }

/**
 * Finds the host's own programs that a rollback runs.
 *
 * @throws Failure NOT_ARMED if a required program is missing
 */
export function programsOf(root: string): Programs {
	const extra = ['udevadm', 'nmcli', ...(exists(root, '/sys/fs/selinux/enforce') ? ['restorecon'] : [])].flatMap(program => {
		const path = programAt(root, program)
		return path === undefined ? [] : [[program, path] as const]
	})
	const [ip, cp, mv, rm, sleep] = [
		requiredProgram(root, 'ip'),
		requiredProgram(root, 'cp'),
		requiredProgram(root, 'mv'),
		requiredProgram(root, 'rm'),
		requiredProgram(root, 'sleep'),
	]
	return { ip, cp, mv, rm, sleep, ...Object.fromEntries(extra) }
}

/** Maximum size of the `ip` binary (bytes). */
const PROGRAM = 16 * MAX_BYTES

/** @returns how to identify a link to the host's own `ip`: a version without altnames accepts no string longer than a name */
export function hostDevice(root: string): Device {
	const programs = ['/usr/sbin/ip', '/usr/bin/ip', '/sbin/ip', '/bin/ip'].map(path => readText(root, path, PROGRAM)).filter(Boolean)
	const isOld = programs.length > 0 && !programs.some(program => program.includes('altname'))
	return isOld ? deviceWordAmong(new Set(namesIn(root, '/sys/class/net'))) : deviceWord
}

function requiredProgram(root: string, program: string): string {
	const found = programAt(root, program)
	if (found === undefined) throw failure('NOT_ARMED', `the host has no ${program}, which is needed to roll back an unfinished run`)
	return found
}
