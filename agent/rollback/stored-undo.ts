import { basename } from 'node:path'
import * as z from 'zod'
import { MAX_BYTES, readRegularFile, readUtf8 } from '../host/read-files.ts'
import { stepWords } from '../ip/change-words.ts'
import { badUndo } from '../model/bad-record.ts'
import type { UndoStep } from '../model/change.ts'
import { COMMITTED_FOLDER } from '../model/paths.ts'
import { StoredStep } from './stored-step.ts'
import { UNDO_JSON, UNDOING_JSON } from './systemd-units.ts'

/** The undo that a run wrote to the host, as the next run reads it. */
export type StoredUndo = { undo: readonly UndoStep[]; tag: string }

const Stored = z.object({
	version: z.literal(1),
	tag: z.string().regex(/^[\w.-]{1,100}$/),
	/** Absent in an undo written by an older agent. */
	bootId: z.string().optional(),
	steps: z.array(StoredStep).max(100_000),
})

/**
 * @returns the undo of a run that ended before its commit. After a reboot, only the steps for files: the links now have other indexes, and
 *   their state is that of the boot.
 * @throws Failure BAD_RECORD when the undo cannot be read, so that the original state of the host is unknown
 */
export function storedUndo(root: string): StoredUndo | undefined {
	// The host may have started to apply the undo and may have been interrupted.
	return storedAt(root, UNDO_JSON) ?? storedAt(root, UNDOING_JSON)
}

/** @returns the undo of a run that was committed and then killed; it must not be applied */
export function committedUndo(root: string): StoredUndo | undefined {
	return storedAt(root, `${COMMITTED_FOLDER}/${basename(UNDO_JSON)}`)
}

/** @throws Error if the next run could not read this undo, so that it could not revert this run */
export function assertReadable(undo: readonly UndoStep[]): void {
	const odd = undo.find(step => !StoredStep.safeParse(step).success)
	if (odd) throw new Error(`its undo could not be read again: ${stepWords(odd)}`)
}

export function bootIdOf(root: string): string {
	return readUtf8(root, '/proc/sys/kernel/random/boot_id')
}

/** Whether a step has the same effect after a reboot. */
function isOfFiles({ change, action }: UndoStep): boolean {
	return change ? 'path' in change : action.kind === 'reloadUdev' || action.kind === 'loadProfiles'
}

/** Maximum size of an undo (bytes), which contains the original content of files. */
const MAX_UNDO_BYTES = 32 * MAX_BYTES

function storedAt(root: string, path: string): StoredUndo | undefined {
	const found = readRegularFile(root, path, MAX_UNDO_BYTES)
	if (!found) return undefined
	if ('why' in found) throw badUndo(path, found.why)
	try {
		const { tag, bootId, steps } = Stored.parse(JSON.parse(found.file.content))
		const isOfThisBoot = bootId === undefined || bootId === bootIdOf(root)
		return { tag, undo: isOfThisBoot ? steps : steps.filter(isOfFiles) }
	} catch (error) {
		throw badUndo(path, error)
	}
}
