import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exec } from '../host/exec.ts'
import { exists } from '../host/files.ts'
import { readBeginning } from '../host/read-files.ts'
import { follow } from '../host/resolve-path.ts'
import { failure } from '../model/failure.ts'

/** FAT may store the label in upper case. */
const labels = ['config-2', 'CONFIG-2']

/** @returns the path of the config drive in this container, found by its udev label */
export function driveOf(root: string): string | undefined {
	const found = labels.map(label => `/dev/disk/by-label/${label}`).find(path => exists(root, path))
	return found === undefined ? undefined : follow(root, found).at
}

/**
 * Reads one file from the config drive (ISO 9660 or FAT). Mounts the drive during the read in the container's own mount namespace, so the
 * host does not see it. Uses the image's `mount`, because the host's `mount` would run in a root without the mount point.
 *
 * @param maxBytes maximum bytes to read
 * @returns undefined if the file is not on the drive
 * @throws Failure COMMAND_FAILED if the drive cannot be mounted, as in a pod without CAP_SYS_ADMIN
 */
export async function readDrive(root: string, path: string, maxBytes: number): Promise<string | undefined> {
	const folder = mkdtempSync(join(tmpdir(), 'multinic-drive-'))
	try {
		await runProgram('mount', ['-o', 'ro,nosuid,nodev,noexec', driveOf(root) ?? '', folder])
		try {
			return readBeginning(join(folder, path), maxBytes)
		} finally {
			await runProgram('umount', [folder])
		}
	} finally {
		rmdirSync(folder)
	}
}

/** Gives up after one second if the drive does not respond. */
async function runProgram(program: string, args: readonly string[]): Promise<void> {
	const { code, stderr } = await exec(program, args, '', 1_000)
	if (code !== 0) throw failure('COMMAND_FAILED', stderr.trim().replace(/\s+/g, ' ') || `${program} ended with ${code}`)
}
