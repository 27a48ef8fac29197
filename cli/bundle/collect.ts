import { isFailure } from '../../runtime/errors.ts'
import { mapConcurrently } from '../model/concurrent.ts'
import { sentenceOf } from '../render/failure.ts'
import type { Session } from '../read/session.ts'

/** One file of a bundle: its path, its description, and how it is read. */
export type Part = { path: string; what: string; read(): Promise<string> }

export type Collected = {
	files: { path: string; what: string; text: string }[]
	/** The parts that could not be read, with the error. */
	missing: { path: string; error: string }[]
}

/**
 * Reads all parts, a few at a time. If a part cannot be read, the error is recorded and the other parts are still read.
 *
 * @throws the signal's reason if the signal is aborted
 */
export async function collect(session: Session, parts: readonly Part[]): Promise<Collected> {
	const collected: Collected = { files: [], missing: [] }
	let done = 0
	const all = mapConcurrently(parts, async part => {
		await readPart(part, collected)
		done++
	})
	await session.progress(() => `collecting: ${done} of ${parts.length}`, all)
	session.signal.throwIfAborted()
	return { ...collected, files: collected.files.toSorted((a, b) => (a.path < b.path ? -1 : 1)) }
}

async function readPart({ path, what, read }: Part, { files, missing }: Collected): Promise<void> {
	try {
		files.push({ path, what, text: await read() })
	} catch (error) {
		if (!isFailure(error)) throw error
		missing.push({ path, error: sentenceOf(error) })
	}
}
