import { join } from 'node:path'
import { writeProgram } from './base/program-file.ts'

/**
 * Writes a `kubectl multinic` that runs from the sources into a directory for PATH. It uses the Node of the current process, because the
 * user's own may be too old.
 */
export async function writePlugin(bin: string): Promise<void> {
	await writeProgram(join(bin, 'kubectl-multinic'), [process.execPath, join(import.meta.dirname, '../cli/main.ts')])
}
