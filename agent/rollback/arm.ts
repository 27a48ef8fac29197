import { renameSync, rmdirSync, statSync, symlinkSync } from 'node:fs'
import { dirname } from 'node:path'
import { interfaceName, MAX_INTERFACES } from '../../contract/names.ts'
import { codeOf } from '../../runtime/errors.ts'
import { execOnHost } from '../host/exec.ts'
import { exists, putFiles, removeAll, removeFile, removeTemporary, syncFolder } from '../host/files.ts'
import { readFile } from '../host/read-files.ts'
import { entryAt, follow } from '../host/resolve-path.ts'
import type { UndoStep } from '../model/change.ts'
import { failure, wordsOf } from '../model/failure.ts'
import { COMMITTED_FOLDER, MADE_AT_BOOT, pathsOf, RECORD_PATH, STATE_FOLDER, UNDO_FOLDER, UNDOING_FOLDER } from '../model/paths.ts'
import { hostDevice, programNames, programsOf } from './programs.ts'
import { assertReadable, bootIdOf, committedUndo, type StoredUndo, storedUndo } from './stored-undo.ts'
import { rollbackFiles, UNDO_JSON } from './systemd-units.ts'

/** rollback/: the undo that the host applies automatically if a run does not commit. */

export type Armed = StoredUndo & {
	/**
	 * When the host rolls back: a value of `performance.now()` (milliseconds), because the timer also uses a monotonic clock. Absent without
	 * systemd; 0 for an unfinished run whose timer may still be running.
	 */
	ends?: number
}

/**
 * Writes the undo of the run to the host and starts the systemd timer that applies it unless the run commits. Nothing may be changed before
 * this function returns.
 *
 * @throws Failure NOT_ARMED, without leftovers
 */
export async function arm(
	root: string,
	request: { undo: readonly UndoStep[]; tag: string; commitTimeoutSeconds: number; systemd: boolean },
): Promise<Armed> {
	const { undo, tag, commitTimeoutSeconds, systemd } = request
	const madeAtBoot = Object.fromEntries(MADE_AT_BOOT.map(path => [path, readFile(root, path)]))
	const programs = systemd ? programsOf(root) : programNames
	const rollback = rollbackFiles({
		undo,
		tag,
		bootId: bootIdOf(root),
		commitTimeoutSeconds,
		programs,
		onRoot: isOnRoot(root),
		madeAtBoot,
		device: hostDevice(root),
	})
	try {
		assertReadable(undo)
		for (const folder of [COMMITTED_FOLDER, UNDOING_FOLDER]) removeAll(root, folder)
		putAll(root, rollback.files)
		syncFolder(root, STATE_FOLDER)
		if (!systemd) return { undo, tag }
		const ends = performance.now() + commitTimeoutSeconds * 1000
		putAll(root, rollback.boot)
		removeAll(root, rollback.enabled.path)
		symlinkSync(rollback.enabled.target, entryAt(root, rollback.enabled.path))
		syncFolder(root, dirname(rollback.enabled.path))
		putAll(root, rollback.live)
		await systemdCall(root, 'StartUnit', rollback.timer)
		return { undo, tag, ends }
	} catch (error) {
		await disarm(root, { undo, tag })
		throw failure('NOT_ARMED', `failed to arm the rollback timer, so nothing was changed: ${wordsOf(error)}`, {
			cause: error,
		})
	}
}

/**
 * Commits by renaming one directory, then removes the timer and the units.
 *
 * @returns whether the commit was in time; false if the host has already started to roll back, in which case nothing is touched
 */
export async function commit(root: string, armed: Armed): Promise<boolean> {
	try {
		renameSync(entryAt(root, UNDO_FOLDER), entryAt(root, COMMITTED_FOLDER))
	} catch (error) {
		if (codeOf(error) === 'ENOENT') return false
		throw error
	}
	syncFolder(root, STATE_FOLDER)
	await disarm(root, armed)
	return true
}

/** Disarms the host, because its changes have been rolled back or no longer need to be. */
export async function disarm(root: string, { tag, ends, undo }: Armed): Promise<void> {
	if (ends !== undefined) await systemdCall(root, 'StopUnit', rollbackPaths(undo, tag).timer)
	for (const folder of [UNDO_FOLDER, UNDOING_FOLDER]) removeByRename(root, folder)
	removeRollbackFiles(root, { undo, tag })
}

/** Renames the directory first, so that a partly removed undo is never mistaken for a complete one. */
function removeByRename(root: string, folder: string): void {
	if (!exists(root, folder)) return
	removeAll(root, COMMITTED_FOLDER)
	renameSync(entryAt(root, folder), entryAt(root, COMMITTED_FOLDER))
	syncFolder(root, STATE_FOLDER)
}

function removeRollbackFiles(root: string, { tag, undo }: Armed): void {
	const { enabled, live, boot } = rollbackPaths(undo, tag)
	for (const path of [enabled.path, ...Object.keys(live), ...Object.keys(boot)]) removeFile(root, path)
	removeAll(root, COMMITTED_FOLDER)
	removeEmpty(root)
}

/** Builds the rollback files only to get their paths. */
function rollbackPaths(undo: readonly UndoStep[], tag: string) {
	return rollbackFiles({ undo, tag, bootId: '', commitTimeoutSeconds: 0, programs: programNames, onRoot: true })
}

/**
 * Removes the temporary files of a killed run, and files that it had not removed yet.
 *
 * @returns the undo of a run that died
 * @throws Failure BAD_RECORD when the undo cannot be read, so that the original state of the host is unknown
 */
export function unfinishedUndo(root: string): Armed | undefined {
	const committed = committedUndo(root)
	if (committed) removeRollbackFiles(root, committed)
	for (const folder of foldersOfOurs()) removeTemporary(root, folder)
	const stored = storedUndo(root)
	if (!stored) {
		// Without undo.json, the other files belong to an undo that was incomplete, so that nothing was changed, or that has been applied.
		for (const folder of [UNDO_FOLDER, UNDOING_FOLDER]) removeAll(root, folder)
		removeEmpty(root)
		return undefined
	}
	const isWaiting = exists(root, `/run/systemd/system/multinic-undo-${stored.tag}.timer`)
	return { ...stored, ...(isWaiting && { ends: 0 }) }
}

/**
 * @returns the tag of a run that died and left its undo, which is not touched
 * @throws Failure BAD_RECORD when the undo cannot be read
 */
export function unfinishedTag(root: string): string | undefined {
	return storedUndo(root)?.tag
}

function foldersOfOurs(): Set<string> {
	const { live, boot } = rollbackPaths([], '')
	const ours = Array.from({ length: MAX_INTERFACES }, (_, id) => pathsOf(interfaceName(id)))
	return new Set([RECORD_PATH, UNDO_JSON, ...Object.keys({ ...live, ...boot }), ...ours.flat()].map(dirname))
}

/** @returns whether the undo still exists, which means that the host has not applied it yet */
export function isArmed(root: string): boolean {
	return exists(root, UNDO_JSON)
}

/** A failure to stop a timer is harmless: the service that it starts does nothing once the undo is gone. */
async function systemdCall(root: string, verb: 'StartUnit' | 'StopUnit', unit: string): Promise<void> {
	const manager = ['org.freedesktop.systemd1', '/org/freedesktop/systemd1', 'org.freedesktop.systemd1.Manager']
	const { code, stderr } = await execOnHost(root, 'busctl', ['call', ...manager, verb, 'ss', unit, 'replace'])
	if (code !== 0 && verb === 'StartUnit') throw failure('NOT_ARMED', `systemd rejects ${verb} ${unit}: ${stderr.trim()}`)
}

function isOnRoot(root: string): boolean {
	const { found } = follow(root, STATE_FOLDER)
	return found === undefined || found.dev === statSync(`${root}/`).dev
}

function putAll(root: string, files: Readonly<Record<string, { content: string; mode: number; gid: number }>>): void {
	putFiles(root, Object.entries(files))
}

/** Removes the directory if possible. It may be a mount point or on a disk that became read-only: an empty directory is harmless. */
function removeEmpty(root: string): void {
	try {
		rmdirSync(entryAt(root, STATE_FOLDER))
	} catch (error) {
		if (!['ENOTEMPTY', 'ENOENT', 'ENOTDIR', 'EEXIST', 'EBUSY', 'EROFS'].includes(codeOf(error))) throw error
	}
}
