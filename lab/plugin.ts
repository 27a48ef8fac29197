import { join } from 'node:path'
import { writeProgram } from './base/program-file.ts'

/**
 * Writes `kubectl multinic` from the sources into a folder for PATH. It runs on the Node of this process: the user's own may be too old for
 * it.
 */
export async function writePlugin(bin: string): Promise<void> {
	await writeProgram(join(bin, 'kubectl-multinic'), [process.execPath, join(import.meta.dirname, '../cli/main.ts')])
}
