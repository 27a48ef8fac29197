import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Writes an executable script that runs `argv` followed by the script's own arguments. Creates its directory if necessary. */
export async function writeProgram(path: string, argv: readonly string[]): Promise<void> {
	const words = argv.map(word => `'${word.replaceAll("'", `'\\''`)}'`)
	await mkdir(dirname(path), { recursive: true })
	await writeFile(path, `#!/bin/sh\nexec ${words.join(' ')} "$@"\n`)
	await chmod(path, 0o755)
}
