import { join } from 'node:path'
import { writeProgram } from './program-file.ts'

/** Puts `kubectl multinic` from the sources into a folder for PATH, on the Node that runs this: the user's own may be too old for it. */
export async function writePlugin(bin: string): Promise<void> {
	await writeProgram(join(bin, 'kubectl-multinic'), [process.execPath, join(import.meta.dirname, '../cli/main.ts')])
}
