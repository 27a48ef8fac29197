import * as z from 'zod'
import type { Failure } from '../../runtime/errors.ts'
import { placeOf } from '../../runtime/faults.ts'
import { type Code, failure, withoutText, wordsOf } from './failure.ts'
import { RECORD_PATH, UNDO_FOLDER } from './paths.ts'

/** Failures for files that only this agent writes and that it cannot read. Each names the file, the cause and the remedy. */

/** @param error the cause; for a JSON syntax error the message does not quote the text, which may contain secrets of other programs */
export function badRecord(error: unknown): Failure<Code> {
	return failure(
		'BAD_RECORD',
		`the record of this host (${RECORD_PATH}) cannot be read: ${whyOf(error)}; nothing was changed. Restore the file, or move it away; a removal can then no longer restore the original configuration`,
	)
}

/** @param path of the undo, which the host may have started to apply */
export function badUndo(path: string, error: unknown): Failure<Code> {
	return failure(
		'BAD_RECORD',
		`the undo that an earlier run left (${path}) cannot be read: ${whyOf(error)}; nothing was changed. Check the network of this node, then remove ${UNDO_FOLDER} and ${UNDO_FOLDER}ing`,
	)
}

/** Maximum characters of the cause, because a record may have many errors. */
const LONGEST = 300

function whyOf(error: unknown): string {
	const words =
		error instanceof z.ZodError
			? `it is invalid at ${placeOf(error.issues[0]?.path ?? []) || 'the top level'}`
			: wordsOf(withoutText(error))
	return words.replaceAll(/\s+/g, ' ').slice(0, LONGEST)
}
