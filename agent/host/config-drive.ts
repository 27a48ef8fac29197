import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { failure } from '../failure.ts'
import { exec } from './exec.ts'
import { exists } from './files.ts'
import { beginningOf } from './read.ts'
import { follow } from './within.ts'

/** FAT may hold it in upper case. */
const labels = ['config-2', 'CONFIG-2']

/** @returns the path of the config drive, as udev knows it by its label, in this container */
export function driveOf(root: string): string | undefined {
	const found = labels.map(label => `/dev/disk/by-label/${label}`).find(path => exists(root, path))
	return found === undefined ? undefined : follow(root, found).at
}

/**
 * Reads one file of the config drive, ISO 9660 or FAT: mounts it, for the time of reading, in the container's own namespace, which the
 * host does not see. With the image's `mount`, for the host's would do it below a root where the folder is not.
 *
 * @param most bytes that are read
 * @returns undefined where the file is not on it
 * @throws Failure COMMAND_FAILED where it cannot be mounted, as in a pod without CAP_SYS_ADMIN
 */
export async function readDrive(root: string, path: string, most: number): Promise<string | undefined> {
	const folder = mkdtempSync(join(tmpdir(), 'multinic-drive-'))
	try {
		await tell('mount', ['-o', 'ro,nosuid,nodev,noexec', driveOf(root) ?? '', folder])
		try {
			return beginningOf(join(folder, path), most)
		} finally {
			await tell('umount', [folder])
		}
	} finally {
		rmdirSync(folder)
	}
}

/** A drive that does not answer is given up after a second. */
async function tell(program: string, args: readonly string[]): Promise<void> {
	const { code, stderr } = await exec(program, args, '', 1_000)
	if (code !== 0) throw failure('COMMAND_FAILED', stderr.trim().replace(/\s+/g, ' ') || `${program} ended with ${code}`)
}
