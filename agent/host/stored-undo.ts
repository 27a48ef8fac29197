import { basename } from 'node:path'
import * as z from 'zod'
import { failure, withoutText } from '../failure.ts'
import { COMMITTED_FOLDER } from '../paths.ts'
import { UNDO_JSON, UNDOING_JSON } from '../plan/recipe.ts'
import type { Change } from '../plan/steps.ts'
import { readFile } from './files.ts'
import { textOf } from './text.ts'

/** The undo that a run has written to the host, as the next run reads it. */
export type StoredUndo = { undo: readonly Change[]; tag: string }

/** Written by ourselves into a folder that only root may enter; a Change is what it holds. */
const Stored = z.object({
	version: z.literal(1),
	tag: z.string(),
	/** Absent in what agents before this field wrote. */
	bootId: z.string().optional(),
	changes: z.array(z.custom<Change>(value => typeof value === 'object' && value !== null && 'kind' in value)),
})

/**
 * @returns the undo of a run that ended before its commit. Of a run before a reboot only its files: by now the links have other indexes, and
 * their state is that of the boot.
 * @throws Failure BAD_RECORD when it cannot be read, so that it is not known what the host was
 */
export function storedUndo(root: string): StoredUndo | undefined {
	// The host may have begun with it, and have been stopped.
	const file = readFile(root + UNDO_JSON) ?? readFile(root + UNDOING_JSON)
	return file && understood(root, file.content)
}

/** @returns the undo of a run that was committed and then killed: it is not to be carried out */
export function committedUndo(root: string): StoredUndo | undefined {
	const file = readFile(`${root}${COMMITTED_FOLDER}/${basename(UNDO_JSON)}`)
	return file && understood(root, file.content)
}

export function bootIdOf(root: string): string {
	return textOf(root, '/proc/sys/kernel/random/boot_id')
}

/** Changes that mean the same after a reboot. */
const OF_FILES: ReadonlySet<Change['kind']> = new Set(['file', 'reload', 'load'])

function understood(root: string, content: string): StoredUndo {
	try {
		const { tag, bootId, changes } = Stored.parse(JSON.parse(content))
		const isOfThisBoot = bootId === undefined || bootId === bootIdOf(root)
		return { tag, undo: isOfThisBoot ? changes : changes.filter(({ kind }) => OF_FILES.has(kind)) }
	} catch (error) {
		throw failure('BAD_RECORD', `the undo that an earlier run left (${UNDO_JSON}) cannot be read`, { cause: withoutText(error) })
	}
}
