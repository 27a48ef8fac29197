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

/** rollback/: the undo that the host applies by itself if a run does not commit. */

export type Armed = StoredUndo & {
	/**
	 * When the host rolls back: milliseconds of `performance.now()`, because the timer also uses a clock that cannot be set. Absent without
	 * systemd; 0 for a run that died.
	 */
	ends?: number
}

/**
 * Writes the undo of the run to the host and makes systemd wait for the commit. Nothing may be changed before this has returned.
 *
 * @throws Failure NOT_ARMED, with nothing left behind
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
 * Commits by renaming one folder, then removes the timer and the units.
 *
 * @returns whether the commit came in time; false if the host has already started to roll back, and then nothing is touched
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

/** Disarms the host: what it was to roll back has been rolled back, or no longer has to be. */
export async function disarm(root: string, { tag, ends, undo }: Armed): Promise<void> {
	if (ends !== undefined) await systemdCall(root, 'StopUnit', rollbackPaths(undo, tag).timer)
	for (const folder of [UNDO_FOLDER, UNDOING_FOLDER]) removeByRename(root, folder)
	removeRollbackFiles(root, { undo, tag })
}

/** Renames the folder first, so that a partly removed one is never taken for a complete one. */
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

/** Builds the undo files for their paths only. */
function rollbackPaths(undo: readonly UndoStep[], tag: string) {
	return rollbackFiles({ undo, tag, bootId: '', commitTimeoutSeconds: 0, programs: programNames, onRoot: true })
}

/**
 * Removes the temporary files of a killed run, and what it had yet to remove.
 *
 * @returns the undo of a run that died
 * @throws Failure BAD_RECORD when it cannot be read, so that the original state of the host is unknown
 */
export function unfinishedUndo(root: string): Armed | undefined {
	const committed = committedUndo(root)
	if (committed) removeRollbackFiles(root, committed)
	for (const folder of foldersOfOurs()) removeTemporary(root, folder)
	const stored = storedUndo(root)
	if (!stored) {
		// Without it, the other files belong to an undo that was incomplete, before anything was changed, or that has been applied.
		for (const folder of [UNDO_FOLDER, UNDOING_FOLDER]) removeAll(root, folder)
		removeEmpty(root)
		return undefined
	}
	const isWaiting = exists(root, `/run/systemd/system/multinic-undo-${stored.tag}.timer`)
	return { ...stored, ...(isWaiting && { ends: 0 }) }
}

/**
 * @returns the tag of a run that died and left its undo, which is not touched
 * @throws Failure BAD_RECORD when it cannot be read
 */
export function unfinishedTag(root: string): string | undefined {
	return storedUndo(root)?.tag
}

function foldersOfOurs(): Set<string> {
	const { live, boot } = rollbackPaths([], '')
	const ours = Array.from({ length: MAX_INTERFACES }, (_, id) => pathsOf(interfaceName(id)))
	return new Set([RECORD_PATH, UNDO_JSON, ...Object.keys({ ...live, ...boot }), ...ours.flat()].map(dirname))
}

/** @returns whether the undo still exists, which means that the host has not applied it in the meantime */
export function isArmed(root: string): boolean {
	return exists(root, UNDO_JSON)
}

/** A timer that cannot be stopped is harmless: what it starts does nothing once the undo is gone. */
async function systemdCall(root: string, verb: 'StartUnit' | 'StopUnit', unit: string): Promise<void> {
	const manager = ['org.freedesktop.systemd1', '/org/freedesktop/systemd1', 'org.freedesktop.systemd1.Manager']
	const { code, stderr } = await execOnHost(root, 'busctl', ['call', ...manager, verb, 'ss', unit, 'replace'])
	if (code !== 0 && verb === 'StartUnit') throw failure('NOT_ARMED', `systemd refuses ${verb} ${unit}: ${stderr.trim()}`)
}

function isOnRoot(root: string): boolean {
	const { found } = follow(root, STATE_FOLDER)
	return found === undefined || found.dev === statSync(`${root}/`).dev
}

function putAll(root: string, files: Readonly<Record<string, { content: string; mode: number; gid: number }>>): void {
	putFiles(root, Object.entries(files))
}

/** Leaves a folder that is mounted, or on a disk that became read-only: an empty folder is harmless. */
function removeEmpty(root: string): void {
	try {
		rmdirSync(entryAt(root, STATE_FOLDER))
	} catch (error) {
		if (!['ENOTEMPTY', 'ENOENT', 'ENOTDIR', 'EEXIST', 'EBUSY', 'EROFS'].includes(codeOf(error))) throw error
	}
}
