import { join } from 'node:path'
import { cacheDir, fingerprintFiles, makeOnce } from '../base/cache.ts'
import { contained } from '../base/contained.ts'
import type { Packages } from '../base/packages.ts'

/**
 * Compiles the library that is preloaded into a node's kernel, unless it is cached. Without it, no node starts on a CPU with AMX.
 *
 * @returns the path of the library
 */
export async function wholeRegisters({ env }: Packages): Promise<string> {
	const source = join(import.meta.dirname, 'whole-registers.c')
	const library = cacheDir(`whole-registers-${await fingerprintFiles(source)}.so`)
	return makeOnce(library, async draft => {
		await contained(['tcc', '-shared', '-nostdlib', '-o', draft, source], { env })
	})
}
